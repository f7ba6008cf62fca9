import { expect, it } from 'vitest';
import { formatTuned } from '../../../src/cli/tune/format-tuned.ts';

const tuned = {
  key: 'matmul m=1',
  choice: { kernel: 'matmul', settings: { ROWS: 8 } },
  tried: 4,
  rejected: [],
};

it('shows before and after, and what is done now', () => {
  expect(formatTuned({ ...tuned, standardMs: 2, ms: 1 })).toBe(
    'matmul m=1\n    2.00 → 1.00 ms   2.00 × as fast   matmul ROWS=8   (4 others tried)',
  );
});

it('shows one time where nothing was better, so that drift between two does not look like a loss', () => {
  expect(formatTuned({ ...tuned, standardMs: 2, ms: 2 })).toBe(
    'matmul m=1\n    2.00 ms   as it was   (4 others tried, none better by enough)',
  );
});

it('says why a way was rejected', () => {
  const rejected = ['matmul ROWS=16: c[3] is 1, expected 2'];
  expect(
    formatTuned({ ...tuned, standardMs: 2, ms: 2, rejected })
      .split('\n')
      .at(-1),
  ).toBe('    rejected: matmul ROWS=16: c[3] is 1, expected 2');
});
