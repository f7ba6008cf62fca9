import { Philox, UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { relabelDigits } from '../../../src/data/augment.ts';
import type { Split } from '../../../src/data/dataset/dataset.ts';
import { type Batch, TrainSampler, testBatches, totalSteps } from '../../../src/data/dataset/sampler.ts';
import { makeSet, makeSplit } from '../fixture.ts';

/** The examples of a batch, known by their first label. */
const examplesOf = (batch: Batch) =>
  Array.from({ length: batch.rows }, (_, row) => batch.labels[2 * row] - 1);

/** The examples of `count` batches, as long as they are of iteration 0, batch by batch. */
function firstIteration(split: Split, batchSize: number, evalInterval: number, seed = 0): number[][] {
  const sampler = new TrainSampler(split, { batchSize, evalInterval, seed });
  const batches: number[][] = [];
  for (;;) {
    const batch = sampler.next();
    if (sampler.state.iteration > 0) return batches;
    batches.push(examplesOf(batch));
  }
}

/** Cuts a list into pieces of n; a short last one stays. */
function pieces(list: number[], n: number): number[][] {
  return Array.from({ length: Math.ceil(list.length / n) }, (_, i) => list.slice(n * i, n * i + n));
}

describe('TrainSampler', () => {
  it('fills batches with whole examples, ignored labels and identifiers', () => {
    const batch = new TrainSampler(makeSplit([[1], [1], [1]]), {
      batchSize: 3,
      evalInterval: 1,
      seed: 5,
    }).next();
    expect(batch.rows).toBe(3);
    const examples = examplesOf(batch);
    expect([...examples].sort()).toEqual([0, 1, 2]);
    expect([...batch.inputs]).toEqual(examples.flatMap((e) => [10 * e + 1, 10 * e + 2]));
    expect([...batch.labels]).toEqual(examples.flatMap((e) => [e + 1, -100]));
    expect([...batch.puzzleIdentifiers]).toEqual(examples.map((e) => e + 1));
  });

  it('keeps every label where ignore_label_id is null', () => {
    const split = makeSplit([[1]]);
    split.metadata.ignore_label_id = null;
    expect([...new TrainSampler(split, { batchSize: 1, evalInterval: 1, seed: 0 }).next().labels]).toEqual([
      1, 0,
    ]);
  });

  it('visits every group once an epoch, in another order each, across batches', () => {
    // 10 groups, 9 epochs: 90 visits fill 12 batches of 7 and drop 6.
    const batches = firstIteration(makeSplit(Array(10).fill([1])), 7, 9);
    expect(batches).toHaveLength(12);
    const epochs = pieces(batches.flat(), 10);
    for (const epoch of epochs.slice(0, 8)) expect([...epoch].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(epochs[8]).size).toBe(4);
    expect(new Set(epochs.map(String)).size).toBe(9);
  });

  it('goes on to other shuffles in the next iteration', () => {
    const sampler = new TrainSampler(makeSplit(Array(20).fill([1])), {
      batchSize: 20,
      evalInterval: 1,
      seed: 0,
    });
    const orders = Array.from({ length: 5 }, () => String(examplesOf(sampler.next())));
    expect(sampler.state.iteration).toBe(4);
    expect(new Set(orders).size).toBe(5);
  });

  it('depends on the seed and on nothing else', () => {
    const split = makeSplit(Array(20).fill([1, 2]));
    expect(firstIteration(split, 4, 3, 1)).toEqual(firstIteration(split, 4, 3, 1));
    expect(firstIteration(split, 4, 3, 1)).not.toEqual(firstIteration(split, 4, 3, 2));
  });

  it('takes one puzzle of a group and no example of it twice', () => {
    // One group of puzzles {0…2} and {3…6}; a batch of 7 is always two visits, or three.
    const taken = new Map<string, number>();
    const sampler = new TrainSampler(makeSplit([[3, 4]]), { batchSize: 4, evalInterval: 1000, seed: 3 });
    for (let i = 0; i < 400; i++) {
      const examples = examplesOf(sampler.next());
      const first = examples[0] < 3 ? [0, 1, 2] : [3, 4, 5, 6];
      expect(examples.slice(0, first.length).sort()).toEqual(first);
      taken.set(String(examples), (taken.get(String(examples)) ?? 0) + 1);
    }
    // 24 orders of the larger puzzle; 6 of the smaller, each with any of 7 examples after it.
    expect(taken.size).toBeGreaterThan(55);
    expect([...taken.keys()].filter((key) => key[0] > '2')).toHaveLength(24);
  });

  it("cuts a puzzle's overflow, evenly among its examples", () => {
    const seen = new Array(5).fill(0);
    const sampler = new TrainSampler(makeSplit([[5]]), { batchSize: 2, evalInterval: 5000, seed: 1 });
    for (let i = 0; i < 2500; i++) {
      const examples = examplesOf(sampler.next());
      expect(new Set(examples).size).toBe(2);
      for (const example of examples) seen[example]++;
      // The next batch starts with the next visit, not with what was cut.
      expect(sampler.state.visit).toBe(i + 1);
    }
    for (const count of seen) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('picks the puzzles of a group evenly', () => {
    const sampler = new TrainSampler(makeSplit([[1, 1, 1]]), {
      batchSize: 3000,
      evalInterval: 3000,
      seed: 0,
    });
    const counts = [0, 0, 0];
    for (const example of examplesOf(sampler.next())) counts[example]++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('passes over empty puzzles', () => {
    const batches = firstIteration(makeSplit([[0], [1], [1]]), 2, 6);
    expect(batches).toHaveLength(6);
  });

  it('resumes from any position with the same batches', () => {
    const split = makeSplit([[1, 3], [2], [1, 1, 1], [4, 2]]);
    split.metadata.sets = ['all', 'more'];
    split.sets.set('more', makeSet([[1], [2, 1]]));
    const options = { batchSize: 5, evalInterval: 4, seed: 11 };
    const sampler = new TrainSampler(split, options);
    const states: string[] = [];
    const batches: Batch[] = [];
    for (let i = 0; i < 30; i++) {
      states.push(JSON.stringify(sampler.state));
      batches.push(sampler.next());
    }
    expect(sampler.state.iteration).toBeGreaterThan(2);
    states.forEach((state, i) => {
      const resumed = TrainSampler.resume(split, options, JSON.parse(state));
      for (const batch of batches.slice(i)) expect(resumed.next()).toEqual(batch);
    });
  });

  it('takes sets in turn and drops the last short batch of each', () => {
    const split = makeSplit([[1], [1], [1]]);
    split.metadata.sets = ['all', 'tiny', 'more'];
    split.sets.set('tiny', makeSet([[1]]));
    split.sets.set('more', makeSet([[1], [1], [1], [1], [1]]));
    const sampler = new TrainSampler(split, { batchSize: 2, evalInterval: 1, seed: 0 });
    const turns = Array.from({ length: 6 }, () => {
      sampler.next();
      return `${sampler.state.iteration}${sampler.state.set}`;
    });
    expect(turns).toEqual(['00', '02', '02', '10', '12', '12']);
  });

  it('refuses data that never fill a batch, and impossible options', () => {
    const split = makeSplit([[1], [1]]);
    const next = (batchSize: number, evalInterval: number) => () =>
      new TrainSampler(split, { batchSize, evalInterval, seed: 0 }).next();
    expect(next(4, 2)).not.toThrow();
    expect(next(5, 2)).toThrow(UserError);
    expect(next(5, 2)).toThrow(/2 groups do not fill a batch of 5 .* smaller global_batch_size/);
    expect(() => new TrainSampler(makeSplit([]), { batchSize: 1, evalInterval: 1, seed: 0 }).next()).toThrow(
      UserError,
    );
    expect(next(0, 1)).toThrow(/batch size is 0/);
    expect(next(1, 0.5)).toThrow(/eval_interval is 0\.5/);
  });

  it('refuses a position of another dataset', () => {
    const split = makeSplit([[1], [1]]);
    const start = { iteration: 0, set: 0, visit: 0, picks: 0 };
    const resume = (change: object) => () =>
      TrainSampler.resume(split, { batchSize: 1, evalInterval: 3, seed: 0 }, { ...start, ...change });
    expect(resume({ visit: 6 })).not.toThrow();
    for (const change of [
      { visit: 7 },
      { set: 1 },
      { iteration: -1 },
      { picks: 'x' },
      { picks: undefined },
    ]) {
      expect(resume(change)).toThrow(UserError);
      expect(resume(change)).toThrow(/saved position/);
    }
  });
});

describe('testBatches', () => {
  it('gives all examples of all sets in order and pads the last batch', () => {
    const split = makeSplit([[2], [1]]);
    split.metadata.blank_identifier_id = 9;
    split.metadata.sets = ['more', 'all'];
    split.sets.set('more', makeSet([[1, 1]]));
    const batches = [...testBatches(split, 3)];
    expect(batches.map(examplesOf)).toEqual([
      [0, 1, 0],
      [1, 2],
    ]);
    expect(batches[0].puzzleIdentifiers).toEqual(Int32Array.of(1, 2, 1));
    expect(batches[1]).toEqual({
      inputs: Int32Array.of(11, 12, 21, 22, 7, 7),
      labels: Int32Array.of(2, -100, 3, -100, -100, -100),
      puzzleIdentifiers: Int32Array.of(1, 2, 9),
      rows: 2,
    });
  });

  it('passes over what is not chosen, without reading it', () => {
    const split = makeSplit([[2], [3]]);
    split.metadata.sets = ['all', 'more'];
    split.sets.set('more', makeSet([[2]]));
    const read: number[] = [];
    const set = split.sets.get('all')!;
    const { inputs } = set;
    set.inputs = {
      ...inputs,
      read(first, count) {
        read.push(first);
        return inputs.read(first, count);
      },
    };
    const batches = [...testBatches(split, 2, new Set([1, 4, 6]))];
    expect(batches.map(examplesOf)).toEqual([[1, 4], [1]]);
    expect(read).toEqual([1, 4]);
  });

  it('adds no batch of padding alone', () => {
    expect([...testBatches(makeSplit([[4]]), 2)].map((batch) => batch.rows)).toEqual([2, 2]);
    expect([...testBatches(makeSplit([]), 2)]).toEqual([]);
  });

  it('refuses an impossible batch size', () => {
    expect(() => [...testBatches(makeSplit([[1]]), 0)]).toThrow(UserError);
  });
});

it('totalSteps rounds down', () => {
  const { metadata } = makeSplit([[1, 2], [1]]); // 2 groups, 4/3 examples a puzzle
  expect(totalSteps(metadata, 100, 7)).toBe(38);
});

describe('relabelDigits', () => {
  it('renames digits row by row, alike in inputs and labels, and nothing else', () => {
    const rows = 200;
    const row = [0, 1, 2, 3, 4, 5, 6];
    const batch: Batch = {
      inputs: Int32Array.from(Array(rows).fill(row).flat()),
      labels: Int32Array.from(Array(rows).fill([-100, 1, 5, 4, 3, 2, 6]).flat()),
      puzzleIdentifiers: new Int32Array(rows),
      rows: rows - 1,
    };
    relabelDigits(batch, new Philox(1), { firstDigitToken: 2, digits: 4, seqLen: 7 });
    const permutations = new Map<string, number>();
    for (let r = 0; r < rows - 1; r++) {
      const inputs = [...batch.inputs.subarray(7 * r, 7 * r + 7)];
      expect([inputs[0], inputs[1], inputs[6]]).toEqual([0, 1, 6]);
      const digits = inputs.slice(2, 6);
      expect([...digits].sort()).toEqual([2, 3, 4, 5]);
      expect([...batch.labels.subarray(7 * r, 7 * r + 7)]).toEqual([-100, 1, ...digits.toReversed(), 6]);
      permutations.set(String(digits), 1);
    }
    expect(permutations.size).toBe(24);
    expect([...batch.inputs.subarray(-7)]).toEqual(row);
  });
});
