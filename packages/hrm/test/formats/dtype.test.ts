import { expect, it } from 'vitest';
import { bf16ToF32, f16ToF32, f32ToBf16, toF32 } from '../../src/formats/dtype.ts';

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

it('rounds wider types to nearest', () => {
  expect(toF32('F64', Float64Array.of(0.1, 1e300))).toEqual(
    Float32Array.of(Math.fround(0.1), Number.POSITIVE_INFINITY),
  );
  expect(toF32('I64', BigInt64Array.of(2n ** 24n + 1n, -3n))).toEqual(Float32Array.of(2 ** 24, -3));
});
