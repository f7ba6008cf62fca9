import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { table } from '../../src/cli/parity.ts';
import type { ParityRow } from '../../src/parity/comparison.ts';

const place = 'H_level.layers.0.self_attn.qkv_proj.weight[2011] = -0.0208272506, expected -0.0208271258';
const row: ParityRow = {
  group: 'trace, puzzle rows after the last step',
  compared: 1,
  error: 0,
  allowed: 0,
  share: 0,
  where: place,
  ok: true,
};

it('the table says in 80 columns what is right, what is not and where, and what was not judged', () => {
  const free = { error: 1.9e-5, allowed: 7.4e-4, share: 0.026, where: place, growth: 2.44, judged: true };
  const lines = table([
    row,
    { ...row, error: 5.4e-6, allowed: 7.6e-5, share: 0.071, free },
    { ...row, error: 1.2e-7, allowed: 1e-8, share: 12, ok: false },
    { ...row, free: { ...free, growth: 123.4, judged: false } },
    { ...row, free: { ...free, error: 1e-3, share: 1.35 }, ok: false, remarks: ['row 1 is not judged'] },
  ]).map((line) => stripVTControlCharacters(line).trimEnd());
  expect(lines).toEqual([
    '     group                                   arrays    error  allowed    share',
    'ok   trace, puzzle rows after the last step       1        0    exact    0.0 %',
    'ok   trace, puzzle rows after the last step       1   5.4e-6   7.6e-5    7.1 %',
    '       on its own states, rounding × 2.4              1.9e-5   7.4e-4    2.6 %',
    'FAIL trace, puzzle rows after the last step       1   1.2e-7   1.0e-8  > 999 %',
    '     H_level.layers.0.self_attn.qkv_proj.weight[2011]',
    '      = -0.0208272506, expected -0.0208271258',
    'ok   trace, puzzle rows after the last step       1        0    exact    0.0 %',
    '       on its own states, rounding × 123.4            1.9e-5      not   judged',
    'FAIL trace, puzzle rows after the last step       1        0    exact    0.0 %',
    '     row 1 is not judged',
    '       on its own states, rounding × 2.4              1.0e-3   7.4e-4  135.0 %',
    '     H_level.layers.0.self_attn.qkv_proj.weight[2011]',
    '      = -0.0208272506, expected -0.0208271258',
    'parity: 2 of 5 groups beyond their bars',
  ]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});
