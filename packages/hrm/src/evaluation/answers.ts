import { IGNORED_LABEL } from '../data/dataset/dataset.ts';
import type { Batch } from '../data/dataset/sampler.ts';
import { Inference, type Rows } from '../model/inference.ts';
import type { HrmModel } from '../model/model.ts';

/** What the model made of one example. */
export interface Answer {
  /** [seq_len] tokens */
  input: Int32Array;
  /** [seq_len] tokens, −100 where a label does not count */
  label: Int32Array;
  puzzleIdentifier: number;
  /** [seq_len] tokens, the likeliest of each position */
  prediction: Int32Array;
  /** Logits. */
  qHalt: number;
  qContinue: number;
  /** Mean loss of the labels; 0 if there are none. */
  lmLoss: number;
  /** Segments run. */
  steps: number;
  /** Labels that count. */
  labels: number;
  /** Labels right after each segment that was read: all of them, or the last alone. */
  correct: number[];
}

export interface AnswerOptions {
  /** Rows at a time. */
  batchSize: number;
  /** Segments after which a row halts; default `halt_max_steps`, more is inference-time scaling. */
  maxSteps?: number;
  /** Whether a row halts as soon as q_halt > q_continue and makes room for the next example (ACT). */
  haltEarly?: boolean;
  /** Whether to look at the answers after every segment. */
  perSegment?: boolean;
  signal?: AbortSignal;
}

/**
 * Answers examples, any number of them in the memory of a batch, and yields the answers in the order of the examples, as
 * many at a time as have become ready. An answer does not depend on the batch size, nor on the examples beside it.
 *
 * @param examples batches of one row each
 */
export async function* answers(
  model: HrmModel,
  examples: Iterable<Batch>,
  options: AnswerOptions,
): AsyncGenerator<Answer[]> {
  const { batchSize, maxSteps = model.config.halt_max_steps, haltEarly = false, signal } = options;
  // Without early halting all rows begin and end together, and nothing needs to be known in between.
  const segmentsPerRead = haltEarly || options.perSegment ? 1 : maxSteps;
  const places = new Places(batchSize, model.config.seq_len, examples);
  const inOrder = new InOrder();
  const inference = new Inference(model, batchSize, maxSteps, haltEarly);
  try {
    while (true) {
      signal?.throwIfAborted();
      if (places.fill()) inference.offer(places.batch);
      if (places.empty) return;
      for (let segment = 1; segment <= segmentsPerRead; segment++) {
        await model.device.stream.ready();
        signal?.throwIfAborted();
        inference.segment();
      }
      places.take(await inference.read(), (example, answer) => inOrder.add(example, answer));
      yield inOrder.ready();
    }
  } finally {
    inference.dispose();
  }
}

interface Running {
  /** Its place in the order of the examples. */
  example: number;
  data: Batch;
  correct: number[];
}

/** The rows of a batch and the examples that they are working on. */
class Places {
  readonly batch: Batch;
  private readonly running: (Running | undefined)[];
  private readonly source: Iterator<Batch>;
  private taken = 0;

  constructor(
    batchSize: number,
    private readonly seqLen: number,
    examples: Iterable<Batch>,
  ) {
    this.source = examples[Symbol.iterator]();
    this.running = Array(batchSize).fill(undefined);
    this.batch = {
      inputs: new Int32Array(batchSize * seqLen),
      labels: new Int32Array(batchSize * seqLen).fill(IGNORED_LABEL),
      puzzleIdentifiers: new Int32Array(batchSize),
      rows: batchSize,
    };
  }

  get empty(): boolean {
    return this.running.every((place) => place === undefined);
  }

  /** Gives every free row the next example while there are any; returns whether there were. */
  fill(): boolean {
    let changed = false;
    for (const [row, place] of this.running.entries()) {
      if (place) continue;
      const next = this.source.next();
      if (next.done) break;
      const data = next.value;
      this.running[row] = { example: this.taken++, data, correct: [] };
      this.batch.inputs.set(data.inputs, row * this.seqLen);
      this.batch.labels.set(data.labels, row * this.seqLen);
      this.batch.puzzleIdentifiers.set(data.puzzleIdentifiers, row);
      changed = true;
    }
    return changed;
  }

  /** Hands over the answers of rows that have halted, and frees these rows. */
  take(rows: Rows, found: (example: number, answer: Answer) => void): void {
    for (const [row, place] of this.running.entries()) {
      if (!place) continue;
      const { inputs, labels, puzzleIdentifiers } = place.data;
      const tokens = rows.prediction.subarray(row * this.seqLen, (row + 1) * this.seqLen);
      place.correct.push(labels.reduce((sum, label, i) => sum + (label === tokens[i] ? 1 : 0), 0));
      if (rows.halted[row] === 0) continue;
      this.running[row] = undefined;
      found(place.example, {
        input: inputs,
        label: labels,
        puzzleIdentifier: puzzleIdentifiers[0],
        prediction: tokens.slice(),
        qHalt: rows.q[2 * row],
        qContinue: rows.q[2 * row + 1],
        lmLoss: rows.lmLoss[row],
        steps: rows.steps[row],
        labels: labels.reduce((sum, label) => sum + (label === IGNORED_LABEL ? 0 : 1), 0),
        correct: place.correct,
      });
    }
  }
}

/** Puts answers back into order. Those that wait are fewer than rows times segments: no row takes longer. */
class InOrder {
  private readonly waiting = new Map<number, Answer>();
  private next = 0;

  add(example: number, answer: Answer): void {
    this.waiting.set(example, answer);
  }

  /** The answers whose turn it is. */
  ready(): Answer[] {
    const ready: Answer[] = [];
    for (let answer = this.waiting.get(this.next); answer; answer = this.waiting.get(this.next)) {
      this.waiting.delete(this.next++);
      ready.push(answer);
    }
    return ready;
  }
}
