/**
 * Batches out of a dataset: shuffled without end for training, in order for testing.
 *
 * Every random number is a function of the seed and of a small position, so a run that is resumed sees
 * the batches that it would have seen.
 */

import { Philox, UserError } from '@hrm-webgpu/core';
import { valueText } from '../../formats/quote.ts';
import { type Curriculum, Difficulty } from './curriculum.ts';
import { type DatasetMetadata, type DatasetSet, IGNORED_LABEL, type Split } from './dataset.ts';

/** B examples of S tokens. */
export interface Batch {
  /** [B · S] */
  inputs: Int32Array;
  /** [B · S]; −100 where a label does not count. */
  labels: Int32Array;
  /** [B] */
  puzzleIdentifiers: Int32Array;
  /** How many rows, from the first, are examples; the others are padding. */
  rows: number;
}

export interface TrainOptions {
  /** Examples in a batch. */
  batchSize: number;
  /** `eval_interval`: epochs in an iteration. */
  evalInterval: number;
  seed: number;
  /** Easy groups first; default all from the beginning. */
  curriculum?: Curriculum;
}

/** Where a {@link TrainSampler} stands, between two batches; plain JSON. */
export interface SamplerState {
  iteration: number;
  /** Index of the set in `metadata.sets`. */
  set: number;
  /** Groups of that set already visited in this iteration. */
  visit: number;
  /** Random words drawn so far to pick puzzles and examples. */
  picks: number;
}

/** Philox streams; any two numbers will do that nothing else takes. */
const SHUFFLE_STREAM = 0x73687566;
const PICK_STREAM = 0x7069636b;

/**
 * Training batches as the published implementation draws them. An iteration is `evalInterval` epochs, each a
 * shuffle of the groups; walking along, every group gives one random puzzle of it, whose examples come in
 * random order until the batch is full (the rest of that puzzle is cut). Batches run across epochs; the
 * last short one of an iteration is dropped. Several sets take their turns within an iteration.
 *
 * A shuffle is made when its epoch begins, so memory is one number a group. Of the tokens, only those of the batch at
 * hand are read.
 */
export class TrainSampler {
  private readonly sets: DatasetSet[];
  private picks: Philox;
  private iteration = 0;
  private set = 0;
  private visit = 0;
  /** The groups in the order of the epoch numbered `shuffledEpoch`. */
  private order = new Int32Array(0);
  private shuffledEpoch = -1;
  /** Of each set, where there is a curriculum. */
  private readonly difficulties: Difficulty[];

  /** @throws UserError if `batchSize` or `evalInterval` is no positive integer */
  constructor(
    private readonly split: Split,
    private readonly options: TrainOptions,
  ) {
    checkPositive('batch size', options.batchSize);
    checkPositive('eval_interval', options.evalInterval);
    this.sets = setsInOrder(split);
    this.picks = new Philox(options.seed, PICK_STREAM);
    this.difficulties = options.curriculum ? this.sets.map((set) => new Difficulty(set)) : [];
  }

  /**
   * A sampler that gives the batches that follow the point where `state` was read.
   *
   * @throws UserError if the state is not one of this dataset and `evalInterval`
   */
  static resume(split: Split, options: TrainOptions, state: SamplerState): TrainSampler {
    const sampler = new TrainSampler(split, options);
    checkState(state, sampler.sets, options.evalInterval);
    sampler.iteration = state.iteration;
    sampler.set = state.set;
    sampler.visit = state.visit;
    sampler.picks = new Philox(options.seed, PICK_STREAM, state.picks);
    return sampler;
  }

  /** What to save. Its `iteration` is the one of the latest batch. */
  get state(): SamplerState {
    return { iteration: this.iteration, set: this.set, visit: this.visit, picks: this.picks.state.position };
  }

  /**
   * The next full batch; begins the next iteration when this one is through.
   *
   * @param drawn how many batches were drawn before, which a curriculum goes by
   * @throws UserError if a whole iteration does not fill one batch, or a file cannot be read any more
   */
  next(drawn = 0): Batch {
    // What is left of the set at hand may be short; then every set once, from its start.
    for (let attempt = 0; attempt <= this.sets.length; attempt++) {
      const batch = this.fillBatch(drawn);
      if (batch) return batch;
      this.startNextSet();
    }
    const { batchSize, evalInterval } = this.options;
    throw new UserError(
      `training data: ${this.split.metadata.total_groups} groups do not fill a batch of ${batchSize} in an iteration ` +
        `(${evalInterval} epochs). Use a smaller global_batch_size, a larger eval_interval or more data.`,
    );
  }

  private startNextSet() {
    this.visit = 0;
    this.set = (this.set + 1) % this.sets.length;
    if (this.set === 0) this.iteration++;
  }

  /** Walks the groups until a batch is full; undefined if the set ends before. */
  private fillBatch(drawn: number): Batch | undefined {
    const { batchSize, evalInterval } = this.options;
    const set = this.sets[this.set];
    const groups = set.groupIndices.length - 1;
    const batch = paddedBatch(batchSize, this.split.metadata);
    while (batch.rows < batchSize) {
      if (this.visit === groups * evalInterval) return undefined;
      const group = this.groupAt(this.visit++, groups);
      if (!this.allows(group, drawn)) continue;
      const first = set.groupIndices[group];
      const puzzle = first + this.picks.below(set.groupIndices[group + 1] - first);
      this.addPuzzle(batch, set, puzzle);
    }
    return batch;
  }

  /** Adds the puzzle's examples in random order, as many as there is room for. */
  private addPuzzle(batch: Batch, set: DatasetSet, puzzle: number) {
    const first = set.puzzleIndices[puzzle];
    const size = set.puzzleIndices[puzzle + 1] - first;
    const count = Math.min(size, this.options.batchSize - batch.rows);
    // Fisher–Yates cut off after `count` steps, which remembers only what has moved.
    const moved = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const j = i + this.picks.below(size - i);
      addExample(batch, set, puzzle, first + (moved.get(j) ?? j), this.split.metadata);
      moved.set(j, moved.get(i) ?? i);
    }
  }

  private allows(group: number, drawn: number): boolean {
    const { curriculum, batchSize } = this.options;
    return !curriculum || this.difficulties[this.set].allows(group, drawn, curriculum, batchSize);
  }

  private groupAt(visit: number, groups: number): number {
    const epochInSet = Math.floor(visit / groups);
    const epoch = (this.iteration * this.sets.length + this.set) * this.options.evalInterval + epochInSet;
    if (epoch !== this.shuffledEpoch) {
      this.order = this.shuffle(epoch, groups);
      this.shuffledEpoch = epoch;
    }
    return this.order[visit % groups];
  }

  private shuffle(epoch: number, groups: number): Int32Array<ArrayBuffer> {
    // A shuffle takes groups − 1 words and rarely a few more: twice as many is room enough.
    const wordsPerEpoch = 2 * Math.max(...this.sets.map((set) => set.groupIndices.length));
    const random = new Philox(this.options.seed, SHUFFLE_STREAM, epoch * wordsPerEpoch);
    return random.shuffle(Int32Array.from({ length: groups }, (_, group) => group));
  }
}

/**
 * All examples in order, set after set; the last batch is padded with `pad_id`, label −100 and
 * `blank_identifier_id`.
 *
 * @param chosen numbers of examples, counted through all sets: the others are passed over, unread
 * @throws UserError if `batchSize` is no positive integer, or a file cannot be read any more
 */
export function* testBatches(split: Split, batchSize: number, chosen?: Set<number>): Generator<Batch> {
  checkPositive('batch size', batchSize);
  const { metadata } = split;
  let batch = paddedBatch(batchSize, metadata);
  let number = 0;
  for (const set of setsInOrder(split)) {
    for (let puzzle = 0; puzzle < set.puzzleIdentifiers.length; puzzle++) {
      for (let example = set.puzzleIndices[puzzle]; example < set.puzzleIndices[puzzle + 1]; example++) {
        if (chosen && !chosen.has(number++)) continue;
        addExample(batch, set, puzzle, example, metadata);
        if (batch.rows === batchSize) {
          yield batch;
          batch = paddedBatch(batchSize, metadata);
        }
      }
    }
  }
  if (batch.rows > 0) yield batch;
}

/** Optimiser steps of a run: ⌊epochs · total_groups · mean_puzzle_examples / batch size⌋. */
export function totalSteps(metadata: DatasetMetadata, epochs: number, batchSize: number): number {
  return Math.floor((epochs * metadata.total_groups * metadata.mean_puzzle_examples) / batchSize);
}

function setsInOrder(split: Split): DatasetSet[] {
  return split.metadata.sets.map((name) => split.sets.get(name)!);
}

/** A batch of no rows: padding throughout. */
function paddedBatch(batchSize: number, { seq_len, pad_id, blank_identifier_id }: DatasetMetadata): Batch {
  return {
    inputs: new Int32Array(batchSize * seq_len).fill(pad_id),
    labels: new Int32Array(batchSize * seq_len).fill(IGNORED_LABEL),
    puzzleIdentifiers: new Int32Array(batchSize).fill(blank_identifier_id),
    rows: 0,
  };
}

/** Puts an example into the batch's next row; this is where ignored labels become −100. */
function addExample(
  batch: Batch,
  set: DatasetSet,
  puzzle: number,
  example: number,
  { seq_len, ignore_label_id }: DatasetMetadata,
) {
  const to = batch.rows * seq_len;
  batch.inputs.set(set.inputs.read(example), to);
  const labels = set.labels.read(example);
  for (let i = 0; i < seq_len; i++) {
    const label = labels[i];
    batch.labels[to + i] = label === ignore_label_id ? IGNORED_LABEL : label;
  }
  batch.puzzleIdentifiers[batch.rows++] = set.puzzleIdentifiers[puzzle];
}

function checkPositive(what: string, value: number) {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UserError(`data: the ${what} is ${value}, expected an integer from 1.`);
  }
}

function checkState(state: SamplerState, sets: DatasetSet[], evalInterval: number) {
  const { iteration, set, visit, picks } = state;
  const counts = [iteration, set, visit, picks].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!counts || set >= sets.length || visit > (sets[set].groupIndices.length - 1) * evalInterval) {
    throw new UserError(
      `training data: the saved position ${valueText(state)} is none of this dataset with eval_interval ` +
        `${evalInterval}. Resume with the dataset and configuration that the checkpoint was made with.`,
    );
  }
}
