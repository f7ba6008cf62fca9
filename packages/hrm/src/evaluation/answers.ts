import { IGNORED_LABEL } from '../data/dataset/dataset.ts';
import type { Batch } from '../data/dataset/sampler.ts';
import { Inferences } from '../guesses/lane.ts';
import type { Guess, Selection } from '../guesses/select.ts';
import {
  type Answered,
  type Asked,
  type Guessing,
  ONE_GUESS,
  type ThoughtGuess,
  think,
} from '../guesses/think.ts';
import { Inference } from '../model/inference.ts';
import type { HrmModel } from '../model/model.ts';

/** What the model made of one example. Where there are several guesses, all but the last fields tell of guess 0, the example as given. */
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
  /** The guesses that came to an end, by their numbers. */
  guesses: readonly Guess[];
  /** The one that was chosen, without a look at the labels. */
  selection: Selection;
  /** Segments that all guesses took. */
  segments: number;
  /** Guesses that were begun. */
  begun: number;
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
  /** Default one guess. */
  guessing?: Guessing;
  /** Further checkpoints for guesses, of the model's architecture and on its device. */
  checkpoints?: readonly HrmModel[];
  signal?: AbortSignal;
}

interface Example extends Asked {
  number: number;
  labels: Int32Array;
  /** Of guess 0. */
  correct: number[];
  lmLoss: number;
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
  const { seq_len } = model.config;
  const { guessing = ONE_GUESS } = options;
  const inferences = [model, ...(options.checkpoints ?? [])].map(
    (one) => new Inferences((rows) => new Inference(one, rows, guessing.makeCompanion), 2 * batchSize),
  );
  const inOrder = new InOrder();
  try {
    const thoughts = think(numbered(examples), {
      guessing,
      seqLen: seq_len,
      batchSize,
      maxSteps,
      halt: haltEarly,
      inferences: inferences.map((kept) => (rows) => kept.for(rows)),
      ready: () => model.device.stream.ready(),
      check: () => signal?.throwIfAborted(),
      everySegment: options.perSegment,
      onSegment: noteFirstGuess,
    });
    for await (const settled of thoughts) {
      for (const one of settled) inOrder.add(one.asked.number, answerOf(one));
      yield inOrder.ready();
    }
  } finally {
    for (const kept of inferences) kept.dispose();
  }
}

function* numbered(examples: Iterable<Batch>): Generator<Example> {
  let number = 0;
  for (const { inputs, labels, puzzleIdentifiers } of examples) {
    const [puzzleIdentifier] = puzzleIdentifiers;
    yield { number: number++, inputs, labels, puzzleIdentifier, correct: [], lmLoss: 0 };
  }
}

function noteFirstGuess(example: Example, { kind, tokens, lmLoss }: ThoughtGuess): void {
  if (kind.number > 0) return;
  example.correct.push(rightLabels(example.labels, tokens()));
  example.lmLoss = lmLoss;
}

/** How many labels a prediction has right. */
export function rightLabels(labels: Int32Array, tokens: Int32Array): number {
  return labels.reduce((sum, label, i) => sum + (label === tokens[i] ? 1 : 0), 0);
}

function answerOf({ asked, ...rest }: Answered<Example>): Answer {
  const { inputs, labels, puzzleIdentifier, lmLoss, correct } = asked;
  const [{ tokens, qHalt, qContinue, segments: steps }] = rest.guesses;
  return {
    ...{ input: inputs, label: labels, puzzleIdentifier, prediction: tokens },
    ...{ qHalt, qContinue, lmLoss, steps, correct },
    labels: labels.reduce((sum, label) => sum + (label === IGNORED_LABEL ? 0 : 1), 0),
    ...rest,
  };
}

/** Puts answers back into order. Those that wait are fewer than rows times segments and guesses: no puzzle takes longer. */
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
