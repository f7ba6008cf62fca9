import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { bf16ToF32, f16ToF32 } from '../../src/formats/dtype.ts';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { encodeSafetensors, openSafetensors, type TensorToWrite } from '../../src/formats/safetensors.ts';

import { fixtureBytes, survives, userError } from './fixtures.ts';

const open = (bytes: Uint8Array) => openSafetensors(bytesSource(bytes, 'file.safetensors'));
const join = (chunks: Uint8Array[]) => new Uint8Array(Buffer.concat(chunks));

/** A file with this header text and `dataSize` zeros. */
function file(header: string, dataSize: number, headerLength?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + dataSize);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const every = new Map<string, TensorToWrite>([
  ['u8', { dtype: 'U8', shape: [3], data: Uint8Array.of(0, 7, 255) }],
  ['bool', { dtype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) }],
  ['i8', { dtype: 'I8', shape: [2], data: Int8Array.of(-128, 127) }],
  ['i16', { dtype: 'I16', shape: [2], data: Int16Array.of(-32768, 5) }],
  ['f16', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }],
  ['bf16', { dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0xc000) }],
  ['i32', { dtype: 'I32', shape: [2, 1], data: Int32Array.of(-5, 2 ** 30) }],
  ['u32', { dtype: 'U32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) }],
  ['f32', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0, Number.NaN, 1e-40) }],
  ['i64', { dtype: 'I64', shape: [1], data: BigInt64Array.of(-(2n ** 40n)) }],
  ['f64', { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) }],
  ['scalar', { dtype: 'F32', shape: [], data: Float32Array.of(0.5) }],
  ['empty', { dtype: 'F32', shape: [0, 5], data: new Float32Array(0) }],
]);

describe('encodeSafetensors', () => {
  it('round-trips every type', async () => {
    const metadata = { format: 'pt', note: 'naïve "quotes"' };
    const read = await open(join(encodeSafetensors(every, metadata)));
    expect(read.metadata).toEqual(metadata);
    expect([...read.names].sort()).toEqual([...every.keys()].sort());
    for (const [name, { dtype, shape, data }] of every) {
      expect(read.info(name)).toEqual({ dtype, shape });
      expect(await read.read(name)).toEqual(data);
    }
  });

  it('aligns every tensor to its element, and the data to 8 bytes', () => {
    const [head, ...chunks] = encodeSafetensors(every);
    expect(head.length % 8).toBe(0);
    let offset = 0;
    const header = JSON.parse(new TextDecoder().decode(head.subarray(8)));
    for (const { data_offsets: offsets } of Object.values(header) as { data_offsets: number[] }[]) {
      expect(offsets[0]).toBe(offset);
      offset = offsets[1];
    }
    expect(header.i64.data_offsets[0] % 8).toBe(0);
    expect(header.f32.data_offsets[0] % 4).toBe(0);
    expect(header.f16.data_offsets[0] % 2).toBe(0);
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(offset);
  });

  it('does not copy the data, and honours views', async () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const chunks = encodeSafetensors(new Map([['x', { dtype: 'F32', shape: [2], data }]]));
    expect(chunks[1].buffer).toBe(data.buffer);
    expect([...(await (await open(join(chunks))).readF32('x'))]).toEqual([2, 3]);
  });

  it('writes no tensors, and odd names', async () => {
    expect((await open(join(encodeSafetensors(new Map())))).names).toEqual([]);
    const odd = new Map(
      ['__proto__', '1', 'ü\n"', ''].map((name) => [
        name,
        { dtype: 'U8', shape: [1], data: Uint8Array.of(9) } as const,
      ]),
    );
    const read = await open(join(encodeSafetensors(odd)));
    expect([...read.names].sort()).toEqual([...odd.keys()].sort());
    expect([...(await read.readF32('__proto__'))]).toEqual([9]);
  });

  it('refuses data that do not fit, and the reserved name', async () => {
    const tensor: TensorToWrite = { dtype: 'F32', shape: [3], data: new Float32Array(2) };
    expect((await userError(() => encodeSafetensors(new Map([['w', tensor]])))).message).toMatch(
      /"w" of shape \[3\] and type F32 needs 12 bytes, got 8/,
    );
    const fits: TensorToWrite = { ...tensor, shape: [2] };
    expect((await userError(() => encodeSafetensors(new Map([['__metadata__', fits]])))).message).toMatch(
      /reserves/,
    );
  });
});

describe('readF32', () => {
  it('widens and converts', async () => {
    const read = await open(join(encodeSafetensors(every)));
    const values = async (name: string) => [...(await read.readF32(name))];
    expect(await values('f16')).toEqual([1, -2]);
    expect(await values('bf16')).toEqual([1, -2]);
    expect(await values('bool')).toEqual([0, 1]);
    expect(await values('i8')).toEqual([-128, 127]);
    expect(await values('i64')).toEqual([-(2 ** 40)]);
    expect(await values('u32')).toEqual([2 ** 32]);
    expect(await values('f64')).toEqual([Math.fround(Math.PI)]);
  });

  it('converts every bfloat16 and every half exactly', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const brain = bf16ToF32(all);
    const half = f16ToF32(all);
    const bits = new Uint32Array(brain.buffer);
    expect(bits.every((word, i) => word >>> 16 === i && (word & 0xffff) === 0)).toBe(true);
    expect([half[0x0001], half[0x03ff], half[0x0400]]).toEqual([2 ** -24, 1023 * 2 ** -24, 2 ** -14]);
    expect([half[0x7bff], half[0x7c00], half[0xfc00]]).toEqual([65504, Infinity, -Infinity]);
    expect([half[0x7c01], half[0xffff]]).toEqual([Number.NaN, Number.NaN]);
    expect(Object.is(half[0x8000], -0)).toBe(true);
    expect(half[0xb555]).toBeCloseTo(-1 / 3, 3);
    expect(half.subarray(1, 0x7c00).every((value, i) => value > half[i])).toBe(true);
    const negative = half.subarray(0x8000, 0xfc00);
    expect(negative.every((value, i) => value === -half[i])).toBe(true);
  });

  it('names the closest tensors when there is none of that name', async () => {
    const read = await open(fixtureBytes('tiny-rope/eval.safetensors'));
    const { message } = await userError(() => read.readF32('eval.0.logit'));
    expect(message).toMatch(/no tensor "eval\.0\.logit"\. The closest names are "eval\.0\.logits"/);
    expect((await userError(() => read.info('x'.repeat(1e6)))).message.length).toBeLessThan(500);
    const empty = await open(join(encodeSafetensors(new Map())));
    expect((await userError(() => empty.info('x'))).message).toMatch(/holds no tensors/);
  });
});

describe('openSafetensors', () => {
  it('reads the fixtures', async () => {
    const read = await open(fixtureBytes('full-27m/eval.safetensors'));
    expect(read.names.length).toBe(13);
    expect(read.names[0]).toBe('batch.inputs');
    expect(read.info('eval.1.logits')).toEqual({ dtype: 'F32', shape: [2, 81, 11] });
    const inputs = await read.read('batch.inputs');
    expect(inputs).toBeInstanceOf(Int32Array);
    expect([...(inputs as Int32Array)].every((token) => token >= 0 && token < 11)).toBe(true);
    const logits = await read.readF32('eval.0.logits');
    expect(logits.length).toBe(2 * 81 * 11);
    expect(logits.every(Number.isFinite)).toBe(true);
  });

  it('names tensors as published checkpoints do without their wrappers, unless two come to be the same', async () => {
    const tensor = (value: number): TensorToWrite => ({
      ...{ dtype: 'F32', shape: [1], data: Float32Array.of(value) },
    });
    const tensors = new Map([
      ['_orig_mod.model.inner.H_init', tensor(1)],
      ['model.inner.L_init', tensor(2)],
      ['optimizer.m.model.inner.x', tensor(3)],
    ]);
    const read = await open(join(encodeSafetensors(tensors)));
    expect([...read.names].sort()).toEqual(['H_init', 'L_init', 'optimizer.m.model.inner.x']);
    expect(await read.readF32('L_init')).toEqual(Float32Array.of(2));
    const { message } = await userError(() =>
      open(join(encodeSafetensors(new Map(tensors).set('H_init', tensor(4))))),
    );
    expect(message).toMatch(/file\.safetensors: two of its tensors are named "H_init", apart from prefixes/);
  });

  const tensor = (more: string) => `{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]${more}}}`;
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /0 bytes, less than the 8/],
    ['a header longer than the file', file('{}', 0, 3n), /truncated: its header should have 3 bytes/],
    ['a header of 2^64 − 1 bytes', file('{}', 0, 2n ** 64n - 1n), /truncated: its header/],
    ['a header shorter than it is', file(tensor(''), 8, 5n), /not JSON/],
    ['a header that is not JSON', file('{"w":', 0), /not JSON/],
    ['a header that is not UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe), /not JSON/],
    ['a header that is a list', file('[]', 0), /not a JSON object/],
    ['a header of null', file('null', 0), /not a JSON object/],
    ['deep nesting', file('['.repeat(2e6), 0), /not JSON/],
    ['deep nesting that closes', file(`{"w":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, 0), /damaged/],
    ['a tensor that is a number', file('{"w":1}', 0), /"w" is not described by an object/],
    ['an unknown dtype', file('{"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}', 8), /F8_E4M3/],
    [
      'a dtype from Object',
      file('{"w":{"dtype":"toString","shape":[8],"data_offsets":[0,8]}}', 8),
      /toString/,
    ],
    ['no dtype', file('{"w":{"shape":[2],"data_offsets":[0,8]}}', 8), /dtype nothing/],
    ['no shape', file('{"w":{"dtype":"F32","data_offsets":[0,8]}}', 8), /shape of tensor "w"/],
    ['a negative extent', file('{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', 8), /shape/],
    ['a fraction', file('{"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}', 6), /shape/],
    [
      'a shape that overflows',
      file('{"w":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}', 8),
      /needs .* bytes, but has 8/,
    ],
    ['a wrong length', file('{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', 8), /needs 12 bytes/],
    ['three offsets', file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}', 8), /data_offsets/],
    ['offsets that are text', file('{"w":{"dtype":"F32","shape":[2],"data_offsets":["0","8"]}}', 8), /two/],
    ['offsets backwards', file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', 8), /out of range/],
    ['data that are missing', file(tensor(''), 7), /bytes 0 to 8 of 7/],
    ['data that are too many', file(tensor(''), 9), /1 bytes at its end belong to no tensor/],
    [
      'an overlap',
      file(
        '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}',
        6,
      ),
      /"b" at byte 2 overlaps/,
    ],
    [
      'a hole',
      file('{"a":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}', 6),
      /leaves a hole after byte 0/,
    ],
    [
      'a name twice',
      file(
        '{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}, "\\u0061" : {"dtype":"U8","shape":[4],"data_offsets":[0,4]}}',
        4,
      ),
      /names "a" twice/,
    ],
    ['metadata that are not text', file('{"__metadata__":{"a":1}}', 0), /strings to strings/],
    ['metadata that are null', file('{"__metadata__":null}', 0), /strings to strings/],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await userError(() => open(bytes));
    expect(error.message).toMatch(message);
    expect(error.message).toContain('file.safetensors');
    expect(error.message.length).toBeLessThan(500);
  });

  it('survives truncation anywhere', async () => {
    const bytes = fixtureBytes('tiny-rope/eval.safetensors');
    const random = new Philox(1);
    const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const around = [0, 8, header, bytes.length].flatMap((at) => [at - 1, at, at + 1]);
    const lengths = around.concat(Array.from({ length: 200 }, () => random.below(bytes.length)));
    for (const length of lengths.filter((length) => length >= 0 && length < bytes.length)) {
      expect(await survives(openSafetensors, bytes.subarray(0, length))).toBe('refused');
    }
  });

  it('survives flipped bits in its header', async () => {
    const whole = fixtureBytes('tiny-rope/eval.safetensors');
    const header = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    const random = new Philox(2);
    const seen = { read: 0, refused: 0 };
    for (let i = 0; i < 2000; i++) {
      const bytes = whole.slice();
      for (let flips = 1 + random.below(3); flips > 0; flips--) {
        bytes[random.below(header)] ^= 1 << random.below(8);
      }
      seen[await survives(openSafetensors, bytes)]++;
    }
    expect(seen.refused).toBeGreaterThan(500);
    expect(seen.read).toBeGreaterThan(50);
  });
});
