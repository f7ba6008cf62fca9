import { UserError } from '@hrm-webgpu/core';
import type { Batch } from '../data/dataset/sampler.ts';
import { type ByteSource, readText } from '../formats/files/byte-source.ts';
import { parseJson } from '../formats/json.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { valueText } from '../formats/quote.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import { parseYaml } from '../formats/yaml/yaml.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN, type ModelConfig, type TrainConfig } from '../model/config.ts';
import { checkTrain } from '../model/config-checks.ts';
import { IGNORED_KEYS, overlay, parseAllConfig, parseModelConfig } from '../model/parse-config.ts';

/** Access to the files of a fixture folder: undefined for one that is not there. */
export type OpenFile = (name: string) => Promise<ByteSource | undefined>;

/** Per-step lists of `trace.json`. */
export type Trace = Record<string, number[] | number[][]>;

/** A fixture folder (see `test/fixtures/README.md`), opened; parts that it lacks are undefined. */
export interface Fixture {
  model: ModelConfig;
  train: TrainConfig;
  batchSize: number;
  totalSteps: number;
  /** Segments to evaluate. */
  segments: number;
  /** Absent: the weights are made by rule. */
  checkpoint?: TensorFile;
  eval?: TensorFile;
  grad?: TensorFile;
  trace?: { tensors: TensorFile; lists: Trace; steps: number };
  /** Closes the files. */
  close(): Promise<void>;
}

/** @throws UserError when the folder is not a fixture */
export async function openFixture(open: OpenFile): Promise<Fixture> {
  const config = await readJson(open, 'config.json');
  if (!config)
    throw new UserError(
      'no config.json in this folder: it is not a parity fixture (its format: test/fixtures/README.md)',
    );
  const { model: stored, train: storedTrain = {}, steps, total_steps = steps ?? 1 } = config;
  const { batch_size, ...model } = expectObject(stored, "config.json: 'model'");
  expectWhole(batch_size, 'model.batch_size');
  expectWhole(total_steps, 'total_steps');
  const arch = { ...model, loss_type: config.loss_type ?? DEFAULT_ARCH.loss_type };
  const train = Object.entries({
    global_batch_size: batch_size,
    ...expectObject(storedTrain, "config.json: 'train'"),
  });
  const known = Object.fromEntries(train.filter(([key]) => !IGNORED_KEYS.includes(key)));
  const evaluation = await optional(open, 'eval.safetensors', openSafetensors);
  const grad = await optional(open, 'grad.safetensors', openSafetensors);
  const trace = await optional(open, 'trace.safetensors', openSafetensors);
  const checkpoint = await optional(open, 'checkpoint', openTensorFile);
  await checkAllConfig(open);
  return {
    model: parseModelConfig(arch, 'config.json'),
    train: checkTrain(overlay(DEFAULT_TRAIN, known, 'config.json: train.'), 'config.json'),
    batchSize: batch_size,
    totalSteps: total_steps,
    segments: evaluation?.names.filter((name) => /^eval\.\d+\.logits$/.test(name)).length ?? 0,
    checkpoint,
    eval: evaluation,
    grad,
    trace: trace && { tensors: trace, lists: await readLists(open, steps), steps },
    async close() {
      for (const file of [evaluation, grad, trace, checkpoint]) await file?.close();
    },
  };
}

/** The batch under `prefix` (`batch` or `{step}.batch`). */
export async function readBatch(file: TensorFile, prefix: string): Promise<Batch> {
  const read = async (name: string) => Int32Array.from((await file.read(`${prefix}.${name}`)) as Int32Array);
  const puzzleIdentifiers = await read('puzzle_identifiers');
  return {
    inputs: await read('inputs'),
    labels: await read('labels'),
    puzzleIdentifiers,
    rows: puzzleIdentifiers.length,
  };
}

/** The lists of `trace.json`, one entry a step. */
async function readLists(open: OpenFile, steps: unknown): Promise<Trace> {
  expectWhole(steps, 'steps');
  const lists = expectObject(await readJson(open, 'trace.json'), 'trace.json');
  for (const name of ['halted', 'steps_carry', 'lm_loss', 'loss']) {
    if (Array.isArray(lists[name]) && lists[name].length === steps) continue;
    throw new UserError(`trace.json: '${name}' must be a list of ${steps} entries, one a step`);
  }
  return lists;
}

// biome-ignore lint/suspicious/noExplicitAny: as readJson
function expectObject(value: any, what: string): any {
  if (value && typeof value === 'object' && !Array.isArray(value)) return value;
  throw new UserError(`${what} must be an object; the format is in test/fixtures/README.md`);
}

function expectWhole(value: unknown, name: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw new UserError(`config.json: '${name}' must be a whole number of at least 1, got ${valueText(value)}`);
}

/** The published configuration beside a checkpoint must be one that we read. */
async function checkAllConfig(open: OpenFile): Promise<void> {
  const source = await open('all_config.yaml');
  if (source) parseAllConfig(parseYaml(await readText(source), source.name), source.name);
}

async function optional<T>(open: OpenFile, name: string, read: (source: ByteSource) => Promise<T>) {
  const source = await open(name);
  return source && read(source);
}

/** Reads a JSON file of a fixture; undefined if it is not there. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of our own fixtures; its fields are checked where they are used
export async function readJson(open: OpenFile, name: string): Promise<any> {
  const source = await open(name);
  if (!source) return undefined;
  try {
    return parseJson(await readText(source));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`${source.name} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}
