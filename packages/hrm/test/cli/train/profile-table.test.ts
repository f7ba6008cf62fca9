import type { KernelTime } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { profileTable } from '../../../src/cli/train/profile/profile-table.ts';

const time = (name: string, ms: number, calls = 2): KernelTime => ({
  ...{ name, ms, calls },
  ...{ flops: 1e7, bytes: 1e6 },
});

/** The times of a step on a machine that is `slow` times as slow. */
const step = (slow: number) => [
  time('matmul m=272 n=384 k=128', 4 * slow),
  time('matmul m=272 n=128 k=128', 2 * slow),
  time('attention_subgroup_backward_query batch=16 seq_len=17 heads=2 head_dim=64', 1 * slow),
  time('matmul a part', 0.5 * slow),
  time('fill length=7', 0.001 * slow),
];

it('tells kernels by shape, with the middle half of the steps', () => {
  const steps = [1, 1.1, 1.2, 1.3, 1.4].map(step);
  const lines = profileTable(steps, [10, 11, 12, 13, 14], 9);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.slice(0, 8).map((line) => line.trim().replace(/\s+/g, ' '))).toEqual([
    'kernel calls ms middle half share GFLOP/s GB/s',
    'matmul',
    'm=272 n=384 k=128 2 4.80 4.40–5.20 53.3 % 2.1 0.2',
    'm=272 n=128 k=128 2 2.40 2.20–2.60 26.7 % 4.2 0.4',
    'a part 2 0.60 0.55–0.65 6.7 % 16.7 1.7', // of a dispatch that was divided
    'attention_subgroup_backward_query',
    'batch=16 seq_len=17 heads=2 head_dim=64',
    '2 1.20 1.10–1.30 13.3 % 8.3 0.8',
  ]);
  const text = lines.join('\n');
  expect(text).toMatch(/1 others +0\.00 +0\.0 %/);
  expect(text).toMatch(/a step as it runs +12\.00 +11\.00–13\.00/);
});
