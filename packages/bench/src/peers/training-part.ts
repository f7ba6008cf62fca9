import { type Device, Philox, type Tensor } from '@hrm-webgpu/core';
import { IGNORED_LABEL } from '@hrm-webgpu/kernels';
import { type Batch, DEFAULT_ARCH, type ModelConfig } from 'hrm-webgpu';
import { makeTrainingCall, type TrainingCall } from '../model/training-call.ts';
import type { Part, Task } from './task.ts';
import type { HostTensor } from './tensor-json.ts';

/** A small model, of a Sudoku's length. */
const CONFIG: ModelConfig = {
  ...DEFAULT_ARCH,
  hidden_size: 128,
  num_heads: 4,
  expansion: 4,
  H_layers: 2,
  L_layers: 2,
  H_cycles: 2,
  L_cycles: 2,
  pos_encodings: 'rope',
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  puzzle_emb_ndim: 128,
  halt_max_steps: 16,
  halt_exploration_prob: 0.1,
  forward_dtype: 'float32',
  loss_type: 'stablemax_cross_entropy',
  vocab_size: 11,
  seq_len: 81,
  num_puzzle_identifiers: 16,
};
const BATCH = 16;
/** The tensors of the carry, for the peer: it starts from where ours stands. */
const CARRY = ['z_H', 'z_L', 'steps', 'halted', 'inputs', 'labels', 'puzzle_identifiers'] as const;

/** One training call of HRM, without the optimiser. */
export function trainingPart(device: Device): Part {
  return {
    name: 'training',
    peers: ['jax-js'],
    goals: { 'jax-js': 3 },
    tasks: async () => [await trainingTask(device)],
    async control() {
      const { run, dispose } = await makeTrainingCall(device, CONFIG, randomBatch(new Philox(1, 0), 1));
      return { name: 'a training call of one row', run, dispose };
    },
  };
}

async function trainingTask(device: Device): Promise<Task> {
  const batch = randomBatch(new Philox(1, 0), BATCH);
  const call = await makeTrainingCall(device, CONFIG, batch);
  // After two calls some rows have halted and others go on: the one compared does everything a call can do.
  call.run();
  call.run();
  const trained = call.model.trained.map(([name]) => name);
  return {
    name: `HRM training call, D ${CONFIG.hidden_size}, batch ${BATCH}`,
    peerTask: { name: 'training', params: { config: CONFIG, trained, globalBatchSize: BATCH } },
    tensors: await inputsOf(call, batch),
    run: call.run,
    async results() {
      const { metrics, loss, gradients } = await call.read();
      const named = [...gradients].map(([name, data]) => [`grad ${name}`, { data }] as const);
      const carried: [string, HostTensor][] = [];
      for (const name of ['z_H', 'z_L', 'steps', 'halted'] as const) {
        carried.push([name, await hostTensor(call.carry.current[name])]);
      }
      return {
        metrics: { data: metrics },
        loss: { data: [loss] },
        ...Object.fromEntries([...carried, ...named]),
      };
    },
    tolerance: TOLERANCE,
    memoryGoal: 2,
    dispose: call.dispose,
  };
}

/**
 * Measured on lavapipe: jax-js and ours differ by at most 6.5e-6 of a tensor's largest number (the gradient of the first
 * qkv_proj of the L module; most by less than 1e-6). Ten times that, for adapters whose exp, log and division round
 * otherwise.
 */
const TOLERANCE = 6.5e-5;

function randomBatch(random: Philox, rows: number): Batch {
  const tokens = (lowest: number) =>
    Int32Array.from(
      { length: rows * CONFIG.seq_len },
      () => lowest + random.below(CONFIG.vocab_size - lowest),
    );
  const labels = tokens(2).map((label) => (random.below(8) === 0 ? IGNORED_LABEL : label));
  const ids = Int32Array.from({ length: rows }, () => random.below(CONFIG.num_puzzle_identifiers));
  return { inputs: tokens(1), labels, puzzleIdentifiers: ids, rows };
}

async function inputsOf(call: TrainingCall, batch: Batch): Promise<Record<string, HostTensor>> {
  const { model, carry, exploration } = call;
  const inputs: Record<string, HostTensor> = {
    'batch inputs': { shape: [BATCH, CONFIG.seq_len], data: batch.inputs },
    'batch labels': { shape: [BATCH, CONFIG.seq_len], data: batch.labels },
    'batch puzzle_identifiers': { shape: [BATCH], data: batch.puzzleIdentifiers },
    explore: await hostTensor(exploration.uniform),
    min_steps: await hostTensor(exploration.minSteps),
  };
  for (const [name, weight] of model.weights) inputs[name] = await hostTensor(weight);
  for (const name of CARRY) inputs[name] = await hostTensor(carry.current[name]);
  return inputs;
}

async function hostTensor(tensor: Tensor): Promise<HostTensor> {
  const data = await tensor.read();
  return { shape: tensor.shape, data: data instanceof Uint32Array ? Int32Array.from(data) : data };
}
