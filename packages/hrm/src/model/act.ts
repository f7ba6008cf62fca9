import { backward, Tensor } from '@hrm-webgpu/core';
import {
  actExploreKernel,
  actStepKernel,
  bceWithLogits,
  type CrossEntropyResult,
  crossEntropyRows,
  hrmGradientRules,
  launch,
  METRIC_NAMES,
  metricsKernel,
  qTargetsKernel,
} from '@hrm-webgpu/kernels';
import type { Carry, DeviceBatch } from './carry.ts';
import type { ModelConfig } from './config.ts';
import type { SegmentOutput, State } from './model.ts';

/** Whether q_continue is trained, towards q of one more segment. */
export function hasQContinue({ halt_max_steps, no_continue }: ModelConfig): boolean {
  return halt_max_steps > 1 && !no_continue;
}

/** What exploration drew for the rows of one call. */
export interface Exploration {
  /** [batch], uniform in [0, 1): a row explores where this is below `halt_exploration_prob`. */
  uniform: Tensor;
  /** [batch] u32, uniform in {2..M}: the least number of segments of a row that explores. */
  minSteps: Tensor;
}

/** Philox stream of exploration; any number that nothing else takes. */
const EXPLORATION_STREAM = 0x6578706c;

/**
 * Draws for the training call whose number is in `call` [1], u32: made on the GPU, and the same whenever that call is
 * made.
 *
 * @param firstRow where the rows of this carry stand in the whole batch: its parts draw what the whole would have drawn
 */
export function explore({ model, batch }: Carry, call: Tensor, seed: number, firstRow = 0): Exploration {
  const { device, config } = model;
  const uniform = Tensor.empty(device, [batch]);
  const minSteps = Tensor.empty(device, [batch], 'u32');
  const params = {
    batch,
    first_row: firstRow,
    max_steps: config.halt_max_steps,
    key0: seed >>> 0,
    key1: Math.floor(seed / 2 ** 32),
    stream: EXPLORATION_STREAM,
  };
  launch(device, actExploreKernel, { call, explore: uniform, min_steps: minSteps }, params);
  return { uniform, minSteps };
}

/** Draws that never explore: 1 is not below any probability. */
export function noExploration({ model, batch }: Carry): Exploration {
  return {
    uniform: Tensor.from(model.device, new Float32Array(batch).fill(1)),
    minSteps: Tensor.from(model.device, new Uint32Array(batch)),
  };
}

/** The results of one call on the device. */
export interface CallOutput extends AnswerOutput {
  /** Sums over the batch [8], in the order of METRIC_NAMES; see {@link readMetrics}. */
  metrics: Tensor;
  /** What q should have been [batch, 2]; the second column means nothing where there is no extra segment. */
  targets: Tensor;
}

/**
 * One training call: one segment for every row of the batch (§ ACT of the paper), with deep supervision. Returns the
 * gradients of loss/global_batch_size for every trained tensor of the model, and for the batch's puzzle rows under
 * `model.localPuzzleRows(batch)` (`puzzle` is the same with the ids of the rows). The carry moves on. Call it in a scope.
 */
export function trainingCall(
  carry: Carry,
  batch: DeviceBatch,
  exploration: Exploration,
  globalBatchSize: number,
) {
  const { model } = carry;
  const { device, config } = model;
  carry.refill(batch);
  const output = model.segment(carry.current, carry.current, carry.current);
  const hasNext = hasQContinue(config);
  const call = device.scope(() => {
    step(carry, output.q, { maxSteps: config.halt_max_steps, early: true, exploration });
    const next = hasNext ? nextQ(carry, output) : output.q;
    carry.advance(output);
    return supervise(carry, output, next);
  });
  const halts = config.model === 'hrm'; // without ACT there is nothing to decide
  const seeds = new Float32Array(2 * carry.batch).map(
    (_, i) => ((i % 2 === 0 ? halts : hasNext) ? 0.5 : 0) / globalBatchSize,
  );
  const gradients = device.scope(() =>
    backward(
      device,
      [
        {
          of: call.loss.loss,
          gradient: Tensor.from(device, new Float32Array(carry.batch).fill(1 / globalBatchSize)),
        },
        { of: call.qLoss, gradient: Tensor.from(device, seeds, [carry.batch, 2]) },
      ],
      hrmGradientRules,
    ),
  );
  const local = model.localPuzzleRows(carry.batch);
  const gradient = local && gradients.get(local);
  const puzzle = gradient && { identifiers: carry.current.puzzle_identifiers, gradient };
  return { gradients, puzzle, output: callOutput(output, call) };
}

/**
 * One evaluation call: one segment for every row; rows halt after `maxSteps` segments (more than `halt_max_steps` is
 * inference-time scaling), with `haltEarly` also where q_halt > q_continue. Call it in a scope.
 */
export function evaluationCall(
  carry: Carry,
  batch: DeviceBatch,
  maxSteps = carry.model.config.halt_max_steps,
  haltEarly = false,
): CallOutput {
  return carry.model.device.tape.noGrad(() => {
    const output = think(carry, batch, { maxSteps, early: haltEarly });
    return callOutput(output, supervise(carry, output, output.q));
  });
}

/** What the rows of a batch have come to after a segment. */
export interface AnswerOutput extends SegmentOutput {
  /** Predicted tokens [batch, seq_len], i32. */
  prediction: Tensor;
  /** Mean loss of each row's labels [batch]. */
  lmLoss: Tensor;
}

/** More segments than a row's counter holds. */
const NEVER = 2 ** 31 - 1;

/**
 * An {@link evaluationCall} without metrics and targets, for who only wants answers. Its rows never halt: who reads them
 * decides. Call it in a scope.
 *
 * @param beforehand done to the carry when its rows have been filled again
 */
export function answerCall(
  carry: Carry,
  batch: DeviceBatch,
  beforehand: (carry: Carry) => void = () => {},
): AnswerOutput {
  const { device, config } = carry.model;
  return device.tape.noGrad(() => {
    const output = think(carry, batch, { maxSteps: NEVER, early: false }, beforehand);
    const { prediction, loss } = crossEntropyRows(output.logits, carry.current.labels, config.loss_type);
    return { ...output, prediction, lmLoss: loss };
  });
}

/** One segment for every row, new ones for those that have halted. */
function think(
  carry: Carry,
  batch: DeviceBatch,
  rule: HaltingRule,
  beforehand: (carry: Carry) => void = () => {},
): SegmentOutput {
  carry.refill(batch);
  beforehand(carry);
  const output = carry.model.segment(carry.current, carry.current, carry.current);
  carry.advance(output);
  step(carry, output.q, rule);
  return output;
}

interface HaltingRule {
  maxSteps: number;
  /** Whether q decides as well. */
  early: boolean;
  exploration?: Exploration;
}

function step(carry: Carry, q: Tensor, { maxSteps, early, exploration }: HaltingRule): void {
  const { device, config } = carry.model;
  const { steps, halted } = carry.current;
  device.scope(() => {
    const { uniform, minSteps } = exploration ?? noExploration(carry);
    const params = {
      batch: carry.batch,
      max_steps: maxSteps,
      early: early ? 1 : 0,
      no_continue: config.no_continue ? 1 : 0,
      exploration: config.halt_exploration_prob,
    };
    launch(device, actStepKernel, { q, explore: uniform, min_steps: minSteps, steps, halted }, params);
  });
}

/**
 * q of one more segment from the states that a segment gave, without gradient: what q_continue is trained towards. The
 * carry's own states, which are about to be replaced, are where it works.
 */
function nextQ({ model, current }: Carry, state: State): Tensor {
  return model.device.scope(() => model.device.tape.noGrad(() => model.segment(state, current, current).q));
}

interface Supervision {
  loss: CrossEntropyResult;
  qLoss: Tensor;
  targets: Tensor;
  metrics: Tensor;
}

/** Losses and metrics of a segment, for the data that the carry holds. */
function supervise(carry: Carry, { logits, q }: SegmentOutput, qNext: Tensor): Supervision {
  const { device, config } = carry.model;
  const { labels, steps, halted } = carry.current;
  const batch = carry.batch;
  const loss = crossEntropyRows(logits, labels, config.loss_type);
  const { count, correct } = loss;
  const targets = Tensor.empty(device, [batch, 2]);
  const params = { batch, max_steps: config.halt_max_steps };
  launch(device, qTargetsKernel, { q_next: qNext, steps, count, correct, targets }, params);
  const qLoss = bceWithLogits(q, targets);
  const metrics = Tensor.empty(device, [METRIC_NAMES.length]);
  launch(
    device,
    metricsKernel,
    { halted, steps, count, correct, q, row_loss: loss.loss, q_loss: qLoss, metrics },
    {
      batch,
    },
  );
  return { loss, qLoss, targets, metrics };
}

function callOutput(output: SegmentOutput, { metrics, targets, loss }: Supervision): CallOutput {
  return { ...output, metrics, targets, prediction: loss.prediction, lmLoss: loss.loss };
}

/** HRM's metrics by their published names: sums over rows, as in `shaders/metrics.wgsl`. */
export type MetricSums = Record<(typeof METRIC_NAMES)[number], number>;

/** Reads the sums of a call. */
export async function readMetrics(metrics: Tensor, hasQContinue: boolean): Promise<MetricSums> {
  return namedMetrics(await metrics.readF32(), hasQContinue);
}

/** The sums by name; without a next segment there is no q_continue_loss, and it reads 0. */
export function namedMetrics(values: ArrayLike<number>, hasQContinue: boolean): MetricSums {
  const sums = Object.fromEntries(METRIC_NAMES.map((name, i) => [name, values[i]])) as MetricSums;
  return hasQContinue ? sums : { ...sums, q_continue_loss: 0 };
}

/** lm_loss + 0.5·(q_halt_loss + q_continue_loss) */
export function totalLoss({ lm_loss, q_halt_loss, q_continue_loss }: MetricSums): number {
  return lm_loss + 0.5 * (q_halt_loss + q_continue_loss);
}
