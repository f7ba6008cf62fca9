import { type Device, Philox, type Plan, Tensor, UserError } from '@hrm-webgpu/core';
import {
  type Batch,
  Carry,
  type Exploration,
  type HrmModel,
  initializeModel,
  type ModelConfig,
  readMetrics,
  totalLoss,
  trainingCall,
  uploadBatch,
} from 'hrm-webgpu';

/** HRM's training call with everything it works on, for benchmarks: no optimiser, so that weights stay as they are. */
export interface TrainingCall {
  readonly model: HrmModel;
  /** Moves on with each call. */
  readonly carry: Carry;
  /** The same draws for each call. */
  readonly exploration: Exploration;
  /** The recorded call. */
  readonly plan: Plan<unknown>;
  /** Replays the call. */
  run(): void;
  /** Makes one call and reads what it gives. */
  read(): Promise<TrainingResults>;
  dispose(): void;
}

export interface TrainingResults {
  /** Sums over the batch, in the order of METRIC_NAMES. */
  metrics: Float32Array;
  /** loss / batch */
  loss: number;
  /** Of loss / batch, by the names of the weights; `puzzle_rows` are those of the batch. */
  gradients: Map<string, Float32Array>;
}

const SEED = 1;
/** Philox streams of the seed. */
const STREAMS = { weights: 0, exploration: 1 };

/**
 * A model of this architecture with fresh weights, except that `q_head.weight` and the puzzle rows are random instead
 * of zero, so that all gradients depend on all parts; a fresh carry, and one batch that every call is given.
 *
 * @throws UserError when the batch is not of the model's length
 */
export async function makeTrainingCall(
  device: Device,
  config: ModelConfig,
  batch: Batch,
): Promise<TrainingCall> {
  const rows = batch.puzzleIdentifiers.length;
  if (batch.inputs.length !== rows * config.seq_len) {
    throw new UserError(
      `the batch has ${batch.inputs.length} tokens, expected ${rows} rows of ${config.seq_len}`,
    );
  }
  const model = await initializeModel(device, config, SEED);
  const random = new Philox(SEED, STREAMS.weights);
  // Puzzle rows large enough that the rows of a batch, which q sees through them first, differ in when they halt.
  const scales = { 'q_head.weight': 1 / Math.sqrt(config.hidden_size), 'puzzle_emb.weights': 1 };
  for (const [name, scale] of Object.entries(scales)) {
    const tensor = model.weights.get(name);
    tensor?.write(Float32Array.from({ length: tensor.size }, () => scale * (2 * random.uniform() - 1)));
  }
  const carry = Carry.fresh(model, rows);
  const data = uploadBatch(model, batch);
  const exploration = draw(device, rows, config.halt_max_steps);

  let gradients: ReadonlyMap<Tensor, Tensor> = new Map();
  const plan = device.record(() => {
    model.weightsChanged(); // as after an optimiser step: what is derived from the weights belongs to a call
    const call = trainingCall(carry, data, exploration, rows);
    gradients = call.gradients;
    return [call.output.metrics, ...gradients.values()];
  });
  const [metrics] = plan.result;
  return {
    model,
    carry,
    exploration,
    plan,
    run: () => plan.replay(),
    read() {
      plan.replay();
      return resultsOf(model, rows, gradients, metrics);
    },
    dispose() {
      plan.dispose();
      for (const tensor of [...Object.values(data), ...Object.values(exploration)]) tensor.dispose();
      carry.dispose();
      model.dispose();
    },
  };
}

function draw(device: Device, rows: number, maxSteps: number): Exploration {
  const random = new Philox(SEED, STREAMS.exploration);
  const uniform = Float32Array.from({ length: rows }, () => random.uniform());
  const minSteps = Uint32Array.from({ length: rows }, () => 2 + random.below(Math.max(1, maxSteps - 1)));
  return { uniform: Tensor.from(device, uniform), minSteps: Tensor.from(device, minSteps) };
}

async function resultsOf(
  model: HrmModel,
  rows: number,
  gradients: ReadonlyMap<Tensor, Tensor>,
  metrics: Tensor,
): Promise<TrainingResults> {
  const parameters = new Map(model.trained);
  const puzzleRows = model.localPuzzleRows(rows);
  if (puzzleRows) parameters.set('puzzle_rows', puzzleRows);
  const read = new Map<string, Float32Array>();
  for (const [name, parameter] of parameters) {
    const gradient = gradients.get(parameter);
    if (!gradient) throw new Error(`the training call gave no gradient for ${name}`);
    read.set(name, await gradient.readF32());
  }
  const sums = await readMetrics(metrics, model.config.halt_max_steps > 1);
  return {
    metrics: Float32Array.from(Object.values(sums)),
    loss: totalLoss(sums) / rows,
    gradients: read,
  };
}
