import { Philox, UserError } from '@hrm-webgpu/core';
import type { Split } from '../data/dataset/dataset.ts';
import { testBatches } from '../data/dataset/sampler.ts';
import { Reservoir } from '../data/reservoir.ts';
import { type MetricSums, totalLoss } from '../model/act.ts';
import type { HrmModel } from '../model/model.ts';
import { NotFiniteError } from '../model/not-finite.ts';
import { type Answer, type AnswerOptions, answers } from './answers.ts';
import { type GuessReport, GuessTally } from './guess-tally.ts';
import { type Interval, meanInterval, wilsonInterval } from './intervals.ts';

/** Published metrics of an evaluation: means over the `count` examples that have labels. */
export interface Evaluation extends Omit<MetricSums, 'q_continue_loss'> {
  loss: number;
  /** Examples with every label right. */
  exact: number;
  /** At 95 %; see `wilsonInterval`. That of `steps` is missing for fewer than two examples. */
  intervals: Record<'exact_accuracy' | 'accuracy' | 'q_halt_accuracy', Interval> & { steps?: Interval };
  /** The answers after each segment, where they were looked at. */
  per_segment?: SegmentScore[];
  /** Where there could be several guesses; all else tells of guess 0, the examples as given. */
  guesses?: GuessReport;
}

export interface SegmentScore {
  /** From 1. */
  segment: number;
  exact: number;
  exact_accuracy: number;
  exact_accuracy_interval: Interval;
  accuracy: number;
}

export interface EvaluateOptions extends AnswerOptions {
  /** Evaluates a random sample of so many examples, the same for the same seed; all if there are no more. */
  sample?: { size: number; seed: number };
  /** Called with every answer, in the order of the examples. */
  onAnswer?: (answer: Answer) => void;
  /** Called now and then with the examples done and the number of all. */
  onProgress?: (done: number, total: number) => void;
}

/** Philox stream of samples; any number that nothing else takes. */
const SAMPLE_STREAM = 0x6576616c;

/**
 * Evaluates a model on a split. As published, every row runs `halt_max_steps` segments, and the metrics are those of
 * the last one; the options allow other limits, and early halting.
 *
 * @throws UserError for a split without examples, and for a model whose losses are not finite
 */
export async function evaluate(model: HrmModel, split: Split, options: EvaluateOptions): Promise<Evaluation> {
  const examples = countExamples(split);
  if (examples === 0) throw new UserError('the split holds no examples to evaluate');
  const { sample, onAnswer, onProgress } = options;
  const chosen = sample && sample.size < examples ? drawSample(examples, sample) : undefined;
  const total = chosen?.size ?? examples;
  const batchSize = Math.min(options.batchSize, total);
  const tally = new Tally();
  const { guessing } = options;
  const guesses = guessing && new GuessTally(guessing.kinds.length, guessing.rule, guessing.all);
  let done = 0;
  for await (const ready of answers(model, testBatches(split, 1, chosen), { ...options, batchSize })) {
    for (const answer of ready) {
      tally.add(answer);
      guesses?.add(answer);
      onAnswer?.(answer);
    }
    done += ready.length;
    if (ready.length > 0) onProgress?.(done, total);
  }
  return { ...tally.evaluation(options.perSegment ?? false), ...(guesses && { guesses: guesses.report() }) };
}

/** Examples in all sets of a split. */
export function countExamples({ sets }: Split): number {
  return [...sets.values()].reduce((sum, set) => sum + set.inputs.count, 0);
}

/** Numbers of a random sample of so many of the examples, the same for the same seed. */
export function drawSample(examples: number, { size, seed }: { size: number; seed: number }): Set<number> {
  const reservoir = new Reservoir<number>(size, new Philox(seed, SAMPLE_STREAM));
  for (let example = 0; example < examples; example++) reservoir.offer(example);
  return new Set(reservoir.items);
}

/** Adds answers up. Those without labels count for nothing, as in the published metrics. */
class Tally {
  private readonly sums: MetricSums = {
    ...{ count: 0, accuracy: 0, exact_accuracy: 0, q_halt_accuracy: 0, steps: 0 },
    ...{ lm_loss: 0, q_halt_loss: 0, q_continue_loss: 0 },
  };
  private squaredSteps = 0;
  private readonly perSegment: { exact: number; accuracy: number }[] = [];

  add({ qHalt, lmLoss, steps, labels, correct }: Answer): void {
    if (!Number.isFinite(lmLoss)) {
      throw new NotFiniteError(`the loss is ${lmLoss}: the weights of this model are not usable.`);
    }
    if (labels === 0) return;
    const { sums } = this;
    const right = correct[correct.length - 1];
    const exact = right === labels ? 1 : 0;
    sums.count++;
    sums.accuracy += right / labels;
    sums.exact_accuracy += exact;
    sums.q_halt_accuracy += qHalt >= 0 === (exact === 1) ? 1 : 0;
    sums.steps += steps;
    this.squaredSteps += steps ** 2;
    sums.lm_loss += lmLoss;
    // Binary cross-entropy on the logit.
    sums.q_halt_loss += Math.max(qHalt, 0) - qHalt * exact + Math.log1p(Math.exp(-Math.abs(qHalt)));
    for (const [i, cells] of correct.entries()) {
      this.perSegment[i] ??= { exact: 0, accuracy: 0 };
      this.perSegment[i].exact += cells === labels ? 1 : 0;
      this.perSegment[i].accuracy += cells / labels;
    }
  }

  evaluation(withSegments: boolean): Evaluation {
    const { count, q_continue_loss: _, ...sums } = this.sums;
    const mean = (value: number) => value / Math.max(1, count);
    const means = Object.fromEntries(
      Object.entries(sums).map(([name, value]) => [name, mean(value)]),
    ) as Record<keyof typeof sums, number>;
    const share = (name: keyof typeof sums) => wilsonInterval(means[name], count);
    const perSegment = this.perSegment.map(({ exact, accuracy }, i) => ({
      segment: i + 1,
      exact,
      exact_accuracy: mean(exact),
      exact_accuracy_interval: wilsonInterval(mean(exact), count),
      accuracy: mean(accuracy),
    }));
    return {
      ...means,
      count,
      loss: mean(totalLoss(this.sums)),
      exact: sums.exact_accuracy,
      intervals: {
        exact_accuracy: share('exact_accuracy'),
        accuracy: share('accuracy'),
        q_halt_accuracy: share('q_halt_accuracy'),
        steps: meanInterval(sums.steps, this.squaredSteps, count),
      },
      ...(withSegments ? { per_segment: perSegment } : {}),
    };
  }
}
