import { expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, toF32 } from '../../src/formats/dtype.ts';

it('rounds f32 to bfloat16 as PyTorch does: to nearest, ties to even', () => {
  const f32 = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0];
  const cases: [number, number][] = [
    [0x3f800000, 0x3f80],
    [0x3f808000, 0x3f80], // a tie, down to even
    [0x3f818000, 0x3f82], // a tie, up to even
    [0x3f808001, 0x3f81],
    [0xbf80ffff, 0xbf81],
    [0x7f7fffff, 0x7f80], // beyond the largest: infinity
    [0xff800000, 0xff80],
    [0x7fc00000, 0x7fc0],
    [0x7f800001, 0x7fc0], // a NaN whose bits would be lost
    [0x00008000, 0x0000],
    [0x80000000, 0x8000],
  ];
  for (const [from, to] of cases) expect(f32ToBf16(Float32Array.of(f32(from)))).toEqual(Uint16Array.of(to));
});

it('takes every bfloat16 number to f32 and back', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const back = f32ToBf16(bf16ToF32(bits));
  const changed = bits.filter((word, i) => back[i] !== word);
  expect(changed.every((word) => (word & 0x7f80) === 0x7f80 && (word & 0x7f) !== 0)).toBe(true); // NaN
});

it('takes every binary16 number to the f32 that the formula of IEEE 754 gives', () => {
  const values = f16ToF32(Uint16Array.from({ length: 65_536 }, (_, i) => i));
  for (let word = 0; word < 65_536; word++) {
    const [sign, exponent, fraction] = [word & 0x8000 ? -1 : 1, (word >> 10) & 31, word & 0x3ff];
    let expected = sign * (exponent ? 1024 + fraction : fraction) * 2 ** (Math.max(exponent, 1) - 25);
    if (exponent === 31) expected = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    if (!Object.is(values[word], expected)) expect([word, values[word]]).toEqual([word, expected]);
  }
});

it('takes every binary16 number to f32 and back', () => {
  const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const back = f32ToF16(f16ToF32(bits));
  for (let word = 0; word < 65_536; word++) {
    const none = (word & 0x7c00) === 0x7c00 && (word & 0x3ff) !== 0;
    const expected = none ? 0x7e00 : word;
    if (back[word] !== expected) expect([word, back[word]]).toEqual([word, expected]);
  }
});

it('rounds f32 to the nearest binary16, ties to even, between any two neighbours', () => {
  const ulps = new Float32Array(1);
  const asWord = new Uint32Array(ulps.buffer);
  const next = (value: number, by: number) => {
    ulps[0] = value;
    asWord[0] += by;
    return ulps[0];
  };
  // Both signs; up to the largest, 0x7bff, whose neighbour above would be 65536: infinity.
  for (let word = 0; word <= 0x7bff; word++) {
    const [low] = f16ToF32(Uint16Array.of(word));
    const high = word === 0x7bff ? 65_536 : f16ToF32(Uint16Array.of(word + 1))[0];
    const tie = (low + high) / 2; // a number of f32: one bit more
    const even = word % 2 === 0 ? word : word + 1;
    const values = [next(low, 1), next(tie, -1), tie, next(tie, 1), next(high, -1)];
    const expected = [word, word, even, word + 1, word + 1];
    const found = f32ToF16(Float32Array.from([...values, ...values.map((value) => -value)]));
    const wanted = [...expected, ...expected.map((bits) => bits | 0x8000)];
    if (found.some((bits, i) => bits !== wanted[i])) expect([word, ...found]).toEqual([word, ...wanted]);
  }
});

it('rounds what has no binary16 number near it', () => {
  const f32 = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0];
  const cases: [number, number][] = [
    [65_519.99609375, 0x7bff],
    [65_520, 0x7c00],
    [-65_520, 0xfc00],
    [3.4e38, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [-0, 0x8000],
    [2 ** -25, 0x0000], // a tie, down to even
    [2 ** -25 + 2 ** -48, 0x0001],
    [-(2 ** -149), 0x8000], // a subnormal of f32
    [f32(0x7f800001), 0x7e00], // a NaN whose bits would be lost
    [f32(0xffc00000), 0x7e00],
  ];
  for (const [from, to] of cases) expect(f32ToF16(Float32Array.of(from))).toEqual(Uint16Array.of(to));
  // A view that does not begin at its buffer's first byte.
  expect(f32ToF16(Float32Array.of(9, 1, -2).subarray(1))).toEqual(Uint16Array.of(0x3c00, 0xc000));
});

it('rounds wider types to nearest', () => {
  expect(toF32('F64', Float64Array.of(0.1, 1e300))).toEqual(
    Float32Array.of(Math.fround(0.1), Number.POSITIVE_INFINITY),
  );
  expect(toF32('I64', BigInt64Array.of(2n ** 24n + 1n, -3n))).toEqual(Float32Array.of(2 ** 24, -3));
});
