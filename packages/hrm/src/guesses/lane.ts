/** The rows of a batch and the guesses that they are working on. */

import { IGNORED_LABEL } from '../data/dataset/dataset.ts';
import type { Batch } from '../data/dataset/sampler.ts';
import type { Inference } from '../model/inference.ts';

/** What a row works on. */
export interface Work {
  /** [seq_len] */
  inputs: Int32Array;
  /** [seq_len]; −100 where a label does not count. Nothing but the loss looks at them. */
  labels?: Int32Array;
  puzzleIdentifier: number;
  /** The number of its guess. */
  guess: number;
  /** Segments thought. */
  segments: number;
}

/** What a row has come to after a segment. */
export interface Reading {
  /** [seq_len]; a view that the next reading leaves alone. */
  tokens: Int32Array;
  qHalt: number;
  qContinue: number;
  lmLoss: number;
  /** See `Rows`. */
  change?: number;
}

/** Gives batches of a size; an inference may serve many lanes, one after the other. */
export type InferenceFor = (rows: number) => Inference;

/** Work on one model: as many rows as there is work for when it begins, at most `limit`. */
export class Lane<W extends Work> {
  private inference: Inference | undefined;
  private rows: (W | undefined)[] = [];
  private batch!: Batch;
  private guesses!: Uint32Array<ArrayBuffer>;

  constructor(
    private readonly seqLen: number,
    private readonly limit: number,
    private readonly inferenceFor: InferenceFor,
  ) {}

  get idle(): boolean {
    return this.rows.every((work) => work === undefined);
  }

  /** Gives free rows work while there is any. */
  fill(next: () => W | undefined): void {
    const fresh: W[] = [];
    const room = this.idle ? this.limit : this.rows.filter((work) => work === undefined).length;
    for (let work: W | undefined; fresh.length < room; fresh.push(work)) {
      work = next();
      if (!work) break;
    }
    if (fresh.length === 0) return;
    if (this.idle) this.resize(fresh.length);
    const begins = new Uint32Array(this.rows.length);
    for (const work of fresh) {
      const row = this.rows.indexOf(undefined);
      this.rows[row] = work;
      begins[row] = 1;
      this.batch.inputs.set(work.inputs, row * this.seqLen);
      const labels = this.batch.labels.subarray(row * this.seqLen, (row + 1) * this.seqLen);
      if (work.labels) labels.set(work.labels);
      else labels.fill(IGNORED_LABEL);
      this.batch.puzzleIdentifiers[row] = work.puzzleIdentifier;
      this.guesses[row] = work.guess;
    }
    this.inference?.offer(this.batch, begins, this.guesses);
  }

  /** Frees the row of a work that need not go on. */
  drop(dropped: W): void {
    this.rows = this.rows.map((work) => (work === dropped ? undefined : work));
  }

  /** Submits a segment of all rows. */
  segment(): void {
    this.inference?.segment();
    for (const work of this.rows) if (work) work.segments++;
  }

  /** What the rows that work have come to. */
  async read(): Promise<[W, Reading][]> {
    const working = [...this.rows.entries()].filter((row): row is [number, W] => row[1] !== undefined);
    if (working.length === 0 || !this.inference) return [];
    const { prediction, q, lmLoss, changes } = await this.inference.read();
    return working.map(([row, work]) => [
      work,
      {
        tokens: prediction.subarray(row * this.seqLen, (row + 1) * this.seqLen),
        qHalt: q[2 * row],
        qContinue: q[2 * row + 1],
        lmLoss: lmLoss[row],
        change: changes?.[row],
      },
    ]);
  }

  private resize(rows: number): void {
    this.inference = this.inferenceFor(rows);
    const { batch } = this.inference;
    this.rows = Array(batch).fill(undefined);
    this.guesses = new Uint32Array(batch);
    this.batch = {
      inputs: new Int32Array(batch * this.seqLen),
      labels: new Int32Array(batch * this.seqLen).fill(IGNORED_LABEL),
      puzzleIdentifiers: new Int32Array(batch),
      rows: batch,
    };
  }
}

/** Keeps the inferences of a model by their size. */
export class Inferences {
  private kept: Inference[] = [];

  /**
   * @param make makes one
   * @param limit rows in all before those not in use are dropped
   */
  constructor(
    private readonly make: (rows: number) => Inference,
    private readonly limit: number,
  ) {}

  /** One of at least so many rows, and of hardly more. */
  for(rows: number): Inference {
    const fitting = this.kept.filter(({ batch }) => batch >= rows && batch <= rows + rows / 4);
    const [known] = fitting.sort((a, b) => a.batch - b.batch);
    if (known) return known;
    if (this.kept.reduce((sum, { batch }) => sum + batch, rows) > this.limit) this.dispose();
    const made = this.make(rows);
    this.kept.push(made);
    return made;
  }

  dispose(): void {
    for (const inference of this.kept) inference.dispose();
    this.kept = [];
  }
}
