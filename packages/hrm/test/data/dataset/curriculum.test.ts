import { expect, it } from 'vitest';
import type { Split } from '../../../src/data/dataset/dataset.ts';
import { TrainSampler } from '../../../src/data/dataset/sampler.ts';
import { tokenRows } from '../../../src/data/dataset/token-rows.ts';

const GROUPS = 40;
/** Group g, which is an example, has 1 + (g mod 10) cells to find out. */
const blanksOf = (group: number) => 1 + (group % 10);
function split(): Split {
  const inputs = new Uint8Array(GROUPS * 16).fill(3);
  for (let group = 0; group < GROUPS; group++) inputs.fill(1, 16 * group, 16 * group + blanksOf(group));
  const indices = Int32Array.from({ length: GROUPS + 1 }, (_, i) => i);
  const set = {
    inputs: tokenRows(inputs, 16),
    labels: tokenRows(new Uint8Array(GROUPS * 16).fill(3), 16),
    puzzleIdentifiers: Int32Array.from({ length: GROUPS }, (_, i) => i),
    ...{ puzzleIndices: indices, groupIndices: indices },
  };
  const metadata = {
    ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0, vocab_size: 6, seq_len: 16 },
    ...{ num_puzzle_identifiers: GROUPS, total_groups: GROUPS, mean_puzzle_examples: 1, sets: ['all'] },
  };
  return { metadata, sets: new Map([['all', set]]) };
}

const options = { batchSize: 4, evalInterval: 3, seed: 1 };
/** The most blanks in each of the first batches. */
function hardest(sampler: TrainSampler, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) =>
    Math.max(...[...sampler.next(from + i).puzzleIdentifiers].map(blanksOf)),
  );
}

it('draws easy groups first, and from all of them after the given number of batches', () => {
  const sampler = new TrainSampler(split(), { ...options, curriculum: { steps: 100 } });
  const most = hardest(sampler, 0, 200);
  // Four groups have one blank, and so on: a share of n percent has no more than ⌈n / 10⌉ blanks.
  most.slice(0, 100).forEach((blanks, batch) => {
    expect(blanks, `batch ${batch}`).toBeLessThanOrEqual(Math.max(1, Math.ceil(batch / 10)));
  });
  expect(Math.max(...most.slice(90, 100))).toBe(10);
  expect(Math.max(...most.slice(100))).toBe(10);
});

it('is off by default, and leaves the order as it is once it is through', () => {
  const plain = new TrainSampler(split(), options);
  const through = new TrainSampler(split(), { ...options, curriculum: { steps: 1 } });
  for (let i = 0; i < 50; i++) expect(through.next(1000 + i)).toEqual(plain.next(i));
  expect(Math.max(...hardest(new TrainSampler(split(), options), 0, 5))).toBeGreaterThan(5);
});

it('goes on from a saved position with the same batches', () => {
  const withCurriculum = { ...options, curriculum: { steps: 60 } };
  const whole = new TrainSampler(split(), withCurriculum);
  for (let i = 0; i < 25; i++) whole.next(i);
  const resumed = TrainSampler.resume(split(), withCurriculum, whole.state);
  for (let i = 25; i < 80; i++) expect(resumed.next(i)).toEqual(whole.next(i));
});

it('fills batches when fewer groups are the easiest than a batch has rows', () => {
  const sampler = new TrainSampler(split(), { ...options, batchSize: 16, curriculum: { steps: 1000 } });
  expect(Math.max(...hardest(sampler, 0, 3))).toBe(4);
});
