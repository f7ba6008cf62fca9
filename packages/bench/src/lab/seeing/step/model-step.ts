/** A step of a model to look into: what training does, optimisers and all, or an evaluation. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, Philox, Tensor, UserError } from '@hrm-webgpu/core';
import {
  type Batch,
  Carry,
  DEFAULT_TRAIN,
  evaluationCall,
  type HrmModel,
  initializeModel,
  loadModel,
  type ModelConfig,
  Optimizers,
  openFixture,
  PRESETS,
  preset,
  TrainSampler,
  trainingCall,
  uploadBatch,
} from 'hrm-webgpu';
import { folderFiles, loadModelFile, type OpenSplit, readSplit } from 'hrm-webgpu/node';
import { FULL_MODEL, SMALL_MODEL, TINY_MODEL } from '../../../model/hrm-cases.ts';

/** Which step. */
export interface StepChoice {
  /** `tiny`, `small`, `full`, a preset, or the path of a checkpoint, run or fixture. */
  model: string;
  /** Puzzles in a batch. */
  rows: number;
  /** A dataset to take them from; they are random without. */
  data?: string;
  /** An evaluation, without gradients and optimisers. */
  forward?: boolean;
}

/** A step that can be made again and again, or recorded. */
export interface ModelStep {
  readonly model: HrmModel;
  /** In words. */
  readonly title: string;
  /** Writes what the host gives to the next step: puzzles, rates, draws. */
  begin(): void;
  /** Everything that it does on the device. */
  body(): Tensor;
  /** Memory of the last body that has a name: weights, `<weight>.grad`, logits. */
  readonly named: ReadonlyMap<string, Tensor['buffer']>;
  dispose(): void;
}

const NAMED: Readonly<Record<string, ModelConfig>> = {
  tiny: TINY_MODEL,
  small: SMALL_MODEL,
  full: FULL_MODEL,
};
const SUDOKU = { vocab_size: 11, seq_len: 81, num_puzzle_identifiers: 1 };
/** Without warm-up, so that the first steps are those of training. */
const RATES = { lr: 1e-3, puzzle_emb_lr: 1e-2 };
const SEED = 1;
/** Their published name; the gradient is that of the rows of the batch. */
const PUZZLE_ROWS = 'puzzle_emb.weights';
/** Philox streams of the seed. */
const STREAMS = { puzzles: 7, exploration: 8 };

/** What `--model` may be, for `--help`. */
export const MODEL_HELP = `  --model M      ${Object.keys(NAMED).join(', ')} (default ${Object.keys(NAMED)[0]}), a preset, or the path of a checkpoint,
                 a run or a fixture
  --rows N       puzzles in the batch; default 4
  --data DIR     a dataset to take them from (split 'train'); random ones without`;

/** @throws UserError where the model, or its data, cannot be had */
export async function makeModelStep(device: Device, choice: StepChoice): Promise<ModelStep> {
  const split = choice.data === undefined ? undefined : await readSplit(choice.data, 'train');
  try {
    const model = await modelOf(device, choice.model, split);
    return stepOf(model, choice, split);
  } catch (error) {
    split?.close();
    throw error;
  }
}

async function modelOf(device: Device, name: string, split: OpenSplit | undefined): Promise<HrmModel> {
  const fresh = (config: ModelConfig) => initializeModel(device, config, SEED);
  const { vocab_size, seq_len, num_puzzle_identifiers } = split?.metadata ?? SUDOKU;
  const sizes = { vocab_size, seq_len, num_puzzle_identifiers };
  if (Object.hasOwn(NAMED, name)) return fresh({ ...NAMED[name], ...(split ? sizes : {}) });
  if (Object.hasOwn(PRESETS, name)) return fresh({ ...preset(name).arch, ...sizes });
  if (!existsSync(name))
    throw new UserError(
      `--model ${name}: expected ${[...Object.keys(NAMED), ...Object.keys(PRESETS)].join(', ')}, or a path that is there`,
    );
  if (!existsSync(join(name, 'config.json'))) return loadModelFile(device, name, split?.metadata.seq_len);
  const fixture = await openFixture(folderFiles(name));
  try {
    if (fixture.checkpoint) return await loadModel(device, fixture.model, fixture.checkpoint);
    throw new UserError(`--model ${name}: this fixture has no checkpoint`);
  } finally {
    await fixture.close();
  }
}

function stepOf(
  model: HrmModel,
  { model: name, rows, forward = false }: StepChoice,
  split?: OpenSplit,
): ModelStep {
  const { device, config } = model;
  const train = { ...DEFAULT_TRAIN, global_batch_size: rows, seed: SEED };
  const optimizers = forward ? undefined : new Optimizers(model, train);
  const carry = Carry.fresh(model, rows);
  const next = batchesOf(config, rows, split);
  const data = uploadBatch(model, next());
  const draws = new Philox(SEED, STREAMS.exploration);
  const exploration = {
    uniform: Tensor.empty(device, [rows]),
    minSteps: Tensor.empty(device, [rows], 'u32'),
  };
  const named = new Map<string, Tensor['buffer']>();
  model.localPuzzleRows(rows); // which the model keeps, and a recording would not
  return {
    model,
    named,
    title: `${forward ? 'evaluation call' : 'training step'} of ${name}, ${rows} ${rows === 1 ? 'puzzle' : 'puzzles'}`,
    begin() {
      const batch = next();
      data.inputs.write(batch.inputs);
      data.labels.write(batch.labels);
      data.puzzle_identifiers.write(batch.puzzleIdentifiers);
      exploration.uniform.write(Float32Array.from({ length: rows }, () => draws.uniform()));
      const most = Math.max(1, config.halt_max_steps - 1);
      exploration.minSteps.write(Uint32Array.from({ length: rows }, () => 2 + draws.below(most)));
      optimizers?.begin(RATES);
    },
    body() {
      named.clear();
      return device.scope(() => {
        const name = (tensors: Iterable<readonly [string, Tensor | undefined]>) => {
          for (const [key, tensor] of tensors) if (tensor) named.set(key, tensor.buffer);
        };
        name(model.weights);
        if (!optimizers) {
          const output = evaluationCall(carry, data);
          name(Object.entries(output));
          return output.metrics;
        }
        const { gradients, puzzle, output } = trainingCall(carry, data, exploration, rows);
        name(Object.entries(output));
        name([...model.trained].map(([weight, tensor]) => [`${weight}.grad`, gradients.get(tensor)]));
        if (puzzle) name([[`${PUZZLE_ROWS}.grad`, puzzle.gradient]]);
        optimizers.step(gradients, puzzle);
        return output.metrics;
      });
    },
    dispose() {
      const all = [...Object.values(data), ...Object.values(exploration)] as Tensor[];
      for (const tensor of all) tensor.dispose();
      carry.dispose();
      optimizers?.dispose();
      model.dispose();
      split?.close();
    },
  };
}

/** Batch after batch, the same in every process. */
function batchesOf(
  { vocab_size, seq_len }: ModelConfig,
  rows: number,
  split: OpenSplit | undefined,
): () => Batch {
  if (split) {
    const sampler = new TrainSampler(split, { batchSize: rows, evalInterval: 1, seed: SEED });
    return () => sampler.next();
  }
  const random = new Philox(SEED, STREAMS.puzzles);
  const tokens = () => Int32Array.from({ length: rows * seq_len }, () => 1 + random.below(vocab_size - 1));
  return () => ({ inputs: tokens(), labels: tokens(), puzzleIdentifiers: new Int32Array(rows), rows });
}
