import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../../src/formats/files/byte-source.ts';
import { fileSource } from '../../../src/formats/files/file-source.node.ts';
import { publishedName } from '../../../src/formats/published-name.ts';
import { openSafetensors } from '../../../src/formats/safetensors.ts';
import { openTorchCheckpoint } from '../../../src/formats/torch/torch-checkpoint.ts';
import { readZipEntries } from '../../../src/formats/torch/zip.ts';
import { buildCheckpoint, buildZip, pickle } from '../build.ts';
import { fixtureBytes, fixturePath, survives, userError } from '../fixtures.ts';

const open = (bytes: Uint8Array) => openTorchCheckpoint(bytesSource(bytes, 'step_7'));
const message = async (bytes: Uint8Array) => (await userError(() => open(bytes))).message;
const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

/** Twelve f32 numbers 0 … 11. */
const twelve = new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => i).buffer);
const storage = pickle.storage('FloatStorage', '0', 12);
const one = (...view: [offset: number, shape: number[], stride: number[]]) =>
  buildCheckpoint({ w: pickle.tensor(storage, ...view) }, { '0': twelve });

describe('publishedName', () => {
  it.each([
    ['_orig_mod.model.inner.H_init', 'H_init'],
    ['model.inner.lm_head.weight', 'lm_head.weight'],
    ['H_level.layers.0.mlp.down_proj.weight', 'H_level.layers.0.mlp.down_proj.weight'],
    ['x.model.inner.y', 'x.model.inner.y'],
    ['module._orig_mod.model.inner.H_init', 'H_init'],
    ['_orig_mod.module.model.inner.H_init', 'H_init'],
    ['module.H_init', 'H_init'],
    ['modules.H_init', 'modules.H_init'],
  ])('%s → %s', (key, name) => {
    expect(publishedName(key, new Map(), 'a.pt')).toBe(name);
  });
});

describe('published checkpoints', () => {
  // Shape, first and last value and sum, from Python's own pickle and struct modules.
  const known: [string, string, number[], number, number, number][] = [
    ['tiny-rope', 'H_init', [32], 0.9995577335357666, -1.770497441291809, -11.04337865114212],
    [
      'tiny-rope',
      'L_level.layers.0.mlp.down_proj.weight',
      [32, 256],
      -0.028954612091183662,
      -0.08097440749406815,
      3.712944123385114,
    ],
    ['tiny-solved', 'H_init', [32], 0.953125, 0.431640625, -2.89892578125],
    [
      'tiny-solved',
      'H_level.layers.0.self_attn.qkv_proj.weight',
      [96, 32],
      -0.22579467296600342,
      0.17955829203128815,
      3.752521732429159,
    ],
    [
      'trained-6x6',
      'L_level.layers.1.self_attn.qkv_proj.weight',
      [384, 128],
      0.03915813937783241,
      0.12115144729614258,
      1.5294807753041653,
    ],
    ['trained-6x6', 'q_head.bias', [2], -2.880849838256836, -2.8099863529205322, -5.690836191177368],
  ];
  it.each(known)('%s: %s', async (fixture, name, shape, first, last, total) => {
    const file = await openTorchCheckpoint(await fileSource(fixturePath(`${fixture}/checkpoint`)));
    expect(file.info(name).shape).toEqual(shape);
    const values = await file.readF32(name);
    expect(values[0]).toBe(first);
    expect(values.at(-1)).toBe(last);
    expect(Float64Array.from(values).reduce((a, b) => a + b)).toBeCloseTo(total, 9);
    await file.close();
  });

  it.each([
    ['tiny-rope', 1, 'F32'],
    ['tiny-explore', 1, 'F32'],
    ['tiny-overfit', 1, 'F32'],
    ['tiny-learned', undefined, 'F32'],
    ['tiny-solved', 1, 'BF16'],
    ['trained-6x6', 2, 'F32'],
  ] as const)('%s has the published keys', async (fixture, layers, initType) => {
    const file = await open(fixtureBytes(`${fixture}/checkpoint`));
    const blocks = (level: string, count: number) =>
      Array.from({ length: count }, (_, i) =>
        ['self_attn.qkv_proj', 'self_attn.o_proj', 'mlp.gate_up_proj', 'mlp.down_proj'].map(
          (name) => `${level}_level.layers.${i}.${name}.weight`,
        ),
      ).flat();
    const head = ['H_init', 'L_init', 'embed_tokens.embedding_weight', 'lm_head.weight', 'q_head.weight'];
    const learned = layers === undefined ? ['embed_pos.embedding_weight'] : [];
    expect(file.names).toEqual([
      ...[...head, 'q_head.bias', 'puzzle_emb.weights', ...learned],
      ...[...blocks('H', layers ?? 1), ...blocks('L', layers ?? 2)],
    ]);
    expect(file.info('H_init').dtype).toBe(initType);
    expect(file.info('L_init').dtype).toBe(initType);
    expect(file.info('lm_head.weight').dtype).toBe('F32');
    for (const name of file.names) {
      expect((await file.readF32(name)).every((value) => Math.abs(value) < 10)).toBe(true);
    }
  });

  it('gives raw bfloat16 bits, and the states that are never trained exactly', async () => {
    const file = await open(fixtureBytes('tiny-solved/checkpoint'));
    const trace = await openSafetensors(bytesSource(fixtureBytes('tiny-solved/trace.safetensors'), 'trace'));
    expect(await file.read('H_init')).toBeInstanceOf(Uint16Array);
    for (const name of ['H_init', 'L_init']) {
      expect(await file.readF32(name)).toEqual(await trace.readF32(`1.after.${name}`));
    }
  });

  it('is one small step away from the first training step', async () => {
    const file = await open(fixtureBytes('tiny-rope/checkpoint'));
    const trace = await openSafetensors(bytesSource(fixtureBytes('tiny-rope/trace.safetensors'), 'trace'));
    for (const name of file.names.filter((name) => name !== 'puzzle_emb.weights')) {
      const [before, after] = [await file.readF32(name), await trace.readF32(`1.after.${name}`)];
      expect(after.length).toBe(before.length);
      // The learning rate of step 1 is 2e-4; the first step of Adam-atan2 moves by it and the weight decay.
      expect(after.every((value, i) => Math.abs(value - before[i]) < 2e-4 * 1.3)).toBe(true);
      expect(after.some((value, i) => value !== before[i])).toBe(!name.endsWith('_init'));
    }
  });

  it('reads only what is asked for', async () => {
    const bytes = fixtureBytes('trained-6x6/checkpoint');
    const source = bytesSource(bytes, 'counted');
    let total = 0;
    const read = (offset: number, length: number) => {
      total += length;
      return source.read(offset, length);
    };
    const file = await openTorchCheckpoint({ ...source, read });
    expect(total).toBeLessThan(80_000);
    total = 0;
    await file.readF32('q_head.bias');
    expect(total).toBe(8);
  });
});

describe('checkpoints of other scripts', () => {
  const foreign = (name: string) => open(fixtureBytes(`foreign/${name}.pt`));

  it.each([
    ['parameter', undefined],
    ['protocol4', undefined],
    ['nested', { taken: 'model', others: ['epoch', 'lr', 'optimizer'] }],
  ])('%s.pt', async (name, part) => {
    const file = await foreign(name);
    expect(file.names).toEqual(['a']);
    expect(file.part).toEqual(part);
    expect(file.info('a')).toEqual({ dtype: 'F32', shape: [2, 3] });
    expect((await file.readF32('a')).every(Number.isFinite)).toBe(true);
  });

  it('reads parameters under module., protocol 3', async () => {
    const file = await foreign('module-protocol3');
    expect(file.names).toEqual(['a', 'b']);
    expect([...(await file.readF32('a')), ...(await file.readF32('b'))]).toEqual([
      ...[0, 1, 2, 3, 4, 5],
      ...[10, 11, 12, 13],
    ]);
  });

  it('takes averaged weights before others, protocol 5', async () => {
    const file = await foreign('ema-protocol5');
    expect(file.part).toEqual({ taken: 'ema', others: ['epoch', 'model'] });
    expect([...(await file.readF32('a'))]).toEqual([10, 11, 12, 13]);
  });

  it('refuses numbers of NumPy without accusing anyone', async () => {
    const { message } = await userError(() => foreign('numpy-scalar'));
    expect(message).toMatch(/it names "numpy\._core\.multiarray\.scalar", which is no part of weights\./);
    expect(message).toMatch(/torch\.save\(model\.state_dict\(\), path\)/);
    expect(message).not.toMatch(/malicious/);
  });

  const w = () => pickle.dict({ w: pickle.tensor(storage, 0, [12], [1]) });
  it.each(['model', 'state_dict', 'ema', 'model_state_dict'])('unwraps {%s: …}', async (key) => {
    const file = await open(buildCheckpoint({ [key]: w(), step: pickle.int(5) }, { '0': twelve }));
    expect(file.part).toEqual({ taken: key, others: ['step'] });
    expect(sum(await file.readF32('w'))).toBe(66);
  });

  it('takes no dict of other things, and none of another name', async () => {
    const file = await open(
      buildCheckpoint({ ema: pickle.dict({ decay: pickle.int(1) }), model: w() }, { '0': twelve }),
    );
    expect(file.part?.taken).toBe('model');
    const others: [string, number[]][] = [
      ['model', pickle.dict({ step: pickle.int(5) })],
      ['model', pickle.emptyDict],
      ['generator', w()],
    ];
    for (const [key, value] of others) {
      expect(await message(buildCheckpoint({ [key]: value }, { '0': twelve }))).toMatch(
        /"\w+" is not a tensor/,
      );
    }
  });
});

describe('strides and offsets', () => {
  it.each<[string, [number, number[], number[]], number[]]>([
    ['contiguous', [0, [3, 4], [4, 1]], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ['with an offset', [4, [2, 2], [2, 1]], [4, 5, 6, 7]],
    ['transposed', [0, [4, 3], [1, 4]], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
    ['a column', [1, [3], [4]], [1, 5, 9]],
    ['a block inside', [5, [2, 2], [4, 1]], [5, 6, 9, 10]],
    ['three axes, permuted', [0, [2, 2, 3], [1, 6, 2]], [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]],
    ['broadcast within its storage', [3, [2, 3], [0, 1]], [3, 4, 5, 3, 4, 5]],
    ['one element, any stride', [11, [1, 1], [999, 77]], [11]],
    ['a scalar', [7, [], []], [7]],
    ['empty', [12, [0, 5], [5, 1]], []],
    ['empty, huge', [0, [2 ** 40, 0, 2 ** 40], [0, 2 ** 40, 1]], []],
  ])('reads a view: %s', async (_, view, values) => {
    const file = await open(one(...view));
    expect(file.info('w')).toEqual({ dtype: 'F32', shape: view[1] });
    expect([...(await file.readF32('w'))]).toEqual(values);
  });

  it.each([
    ['BoolStorage', Uint8Array.of(0, 1, 1, 0, 1, 1)],
    ['HalfStorage', Uint16Array.of(0, 1, 2, 3, 4, 5)],
    ['LongStorage', BigInt64Array.of(0n, 1n, -2n, 3n, 4n, 5n)],
    ['DoubleStorage', Float64Array.of(0, 1, 2, 3, 4, 5)],
  ] as const)('transposes %s', async (type, data) => {
    const bytes = new Uint8Array(data.buffer);
    const tensor = pickle.tensor(pickle.storage(type, 'k', 6), 0, [3, 2], [1, 3]);
    const read = await (await open(buildCheckpoint({ w: tensor }, { k: bytes }))).read('w');
    expect([...read]).toEqual([0, 3, 1, 4, 2, 5].map((i) => data[i]));
  });

  it.each<[string, [number, number[], number[]], RegExp]>([
    ['an offset beyond the end', [13, [], []], /reaches beyond its storage of 12/],
    ['one row too many', [0, [4, 4], [4, 1]], /reaches beyond its storage of 12/],
    ['a stride that is too long', [0, [2], [12]], /reaches beyond/],
    ['an overflow', [0, [2 ** 52, 2 ** 52], [2 ** 52, 1]], /reaches beyond/],
    ['an endless broadcast', [0, [2 ** 40, 2 ** 40], [0, 0]], /more elements than its storage/],
    ['64 axes of broadcast', [0, new Array(64).fill(2 ** 50), new Array(64).fill(0)], /more elements/],
  ])('refuses %s', async (_, view, expected) => {
    expect(await message(one(...view))).toMatch(expected);
  });
});

describe('lying checkpoints', () => {
  const tensor = pickle.tensor(storage, 0, [12], [1]);
  const text = (value: string) => new TextEncoder().encode(value);

  it('accepts little-endian byte order and other entries', async () => {
    const more = [
      { name: 'step_7/byteorder', data: text('little') },
      { name: 'step_7/.data/serialization_id', data: text('123') },
    ];
    const file = await open(buildCheckpoint({ 'model.inner.w': tensor }, { '0': twelve }, more));
    expect(file.names).toEqual(['w']);
    expect(sum(await file.readF32('w'))).toBe(66);
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    [
      'big-endian',
      () =>
        buildCheckpoint({ w: tensor }, { '0': twelve }, [{ name: 'step_7/byteorder', data: text('big') }]),
      /byte order "big"/,
    ],
    [
      'a storage that is missing',
      () => buildCheckpoint({ w: tensor }, {}),
      /"step_7\/data\/0" of tensor "w" is missing/,
    ],
    [
      'a storage that is too small',
      () => buildCheckpoint({ w: tensor }, { '0': twelve.subarray(4) }),
      /should have 48 bytes .*, but has 44/,
    ],
    [
      'a storage that is too large',
      () => buildCheckpoint({ w: tensor }, { '0': Uint8Array.of(...twelve, 0) }),
      /should have 48 bytes .*, but has 49/,
    ],
    [
      'a storage of two types',
      () =>
        buildCheckpoint(
          { a: tensor, b: pickle.tensor(pickle.storage('HalfStorage', '0', 12), 0, [12], [1]) },
          { '0': twelve },
        ),
      /should have 24 bytes/,
    ],
    [
      'a storage of 2^52 elements',
      () =>
        buildCheckpoint(
          { w: pickle.tensor(pickle.storage('FloatStorage', '0', 2 ** 52), 0, [2 ** 52], [1]) },
          { '0': twelve },
        ),
      /but has 48/,
    ],
    [
      'a value that is not a tensor',
      () => buildCheckpoint({ step: pickle.int(5) }, {}),
      /"step" is not a tensor/,
    ],
    [
      'two names that are one',
      () => buildCheckpoint({ w: tensor, 'model.inner.w': tensor }, { '0': twelve }),
      /two of its tensors are named "w"/,
    ],
    ['no pickle', () => buildZip([{ name: 'x/version', data: text('3') }]), /no entries <folder>\/data\.pkl/],
    [
      'two pickles',
      () => buildZip(['a', 'b'].map((root) => ({ name: `${root}/data.pkl`, data: text('') }))),
      /2 entries/,
    ],
    [
      'a list',
      () => buildZip([{ name: 'x/data.pkl', data: pickle.file(pickle.emptyList) }]),
      /something else than a state dict/,
    ],
    [
      'a malicious pickle',
      () =>
        buildZip([
          {
            name: 'x/data.pkl',
            data: pickle.file(pickle.global('posix', 'system'), pickle.tuple(pickle.text('id')), [0x52]),
          },
        ]),
      /step_7 \(data\.pkl\).*"posix\.system"/,
    ],
  ])('refuses %s', async (_, bytes, expected) => {
    const found = await message(bytes());
    expect(found).toMatch(expected);
    expect(found).toMatch(/^step_7/);
  });

  it('refuses an outsized pickle without reading it', async () => {
    const source = bytesSource(buildZip([{ name: 'x/data.pkl', data: new Uint8Array(5e6) }]), 'large');
    let most = 0;
    const read = (offset: number, length: number) => {
      most = Math.max(most, length);
      return source.read(offset, length);
    };
    const error = await userError(() => openTorchCheckpoint({ ...source, read }));
    expect(error.message).toMatch(/data\.pkl has 5000000 bytes, more than any checkpoint's/);
    expect(most).toBeLessThan(1e5);
  });
});

describe.each(['tiny-rope', 'tiny-solved'])('damage to %s', (fixture) => {
  const whole = fixtureBytes(`${fixture}/checkpoint`);

  it('is refused wherever the file is cut', async () => {
    const random = new Philox(3);
    const entries = await readZipEntries(bytesSource(whole, 'whole'));
    const bounds = [...entries.values()].flatMap(({ offset, size }) => [offset, offset + size]);
    const end = Array.from({ length: 150 }, (_, i) => whole.length - 1 - i);
    const anywhere = Array.from({ length: 200 }, () => random.below(whole.length));
    const lengths = bounds.flatMap((at) => [at - 1, at, at + 1]).concat(end, anywhere);
    for (const length of lengths) {
      expect(await survives(openTorchCheckpoint, whole.subarray(0, length))).toBe('refused');
    }
  });

  it('is read or refused where bits of the records flip', async () => {
    const random = new Philox(4);
    const pickled = (await readZipEntries(bytesSource(whole, 'whole'))).get('checkpoint/data.pkl');
    const { offset, size } = pickled ?? expect.unreachable();
    const directory = whole.length - 22 - 20 - 56 - 17 * 64;
    const targets: [number, number][] = [
      [0, 64],
      [offset, size],
      [directory, whole.length - directory],
    ];
    const seen = { read: 0, refused: 0 };
    for (let i = 0; i < 3000; i++) {
      const bytes = whole.slice();
      const [start, length] = targets[i % targets.length];
      for (let flips = 1 + random.below(4); flips > 0; flips--) {
        const at = start + random.below(length);
        bytes[at] = random.below(2) ? random.below(256) : bytes[at] ^ (1 << random.below(8));
      }
      seen[await survives(openTorchCheckpoint, bytes)]++;
    }
    expect(seen.refused).toBeGreaterThan(1000);
    expect(seen.read).toBeGreaterThan(100);
  });
});
