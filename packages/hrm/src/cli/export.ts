import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { type CheckpointContext, knownConfig } from '../checkpoints/checkpoint-context.ts';
import { exportedConfig, exportedTensors, halfPrecision, publishedTypes } from '../checkpoints/export.ts';
import { findCheckpoint, RUN_FILES, readContext } from '../checkpoints/model-file.node.ts';
import { checksumsOf } from '../formats/checksums.ts';
import { writeFileAtomic } from '../formats/files/atomic-write.node.ts';
import { fileSource, readTextFile } from '../formats/files/file-source.node.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { streamSafetensors } from '../formats/safetensors.ts';
import type { StoredTensor, TensorFile } from '../formats/tensor-file.ts';
import { encodeTorchCheckpoint } from '../formats/torch/torch-export.ts';
import { parseYaml, stringifyYaml, type YamlMap, type YamlValue } from '../formats/yaml/yaml.ts';
import { type KnownConfig, trunkConfig } from '../model/load.ts';
import { IGNORED_KEYS, LENGTH_KEY, parseAllConfig } from '../model/parse-config.ts';
import { checkTask, seqLenOf, type Task } from '../tasks/tasks.ts';
import { formatMetadata, readMetadata, summedMetadata } from '../training/checkpoint.ts';
import { announcePart } from './announce-part.ts';
import { type Command, onePositional, parse } from './command.ts';
import { taskNamed } from './task-option.ts';
import { byteSize, print } from './terminal.ts';

const FORMATS = ['pt', 'safetensors'] as const;
type Format = (typeof FORMATS)[number];

export const exportCommand: Command = {
  summary: 'write a checkpoint for PyTorch, or as safetensors',
  help: `usage: hrm export <checkpoint or run folder> --to pt|safetensors --out FILE [--half] [--task NAME]
                  [--trunk-only]

Writes the weights of a checkpoint under their published names, and all_config.yaml beside them. Optimiser state stays
behind. No GPU is needed, and files of any size pass through in pieces.

  --to pt            what torch.load(weights_only=True) and the published code read; keys begin with
                     _orig_mod.model.inner.
  --to safetensors   what this project and the safetensors libraries read
  --out FILE         a new file; the published code expects the name 'checkpoint' or 'step_N'
  --half             with safetensors: weights as F16, rounded to nearest, in half the bytes; they are computed with as f32
  --task NAME        with safetensors: what its grids are, for who loads the file; default what the checkpoint says
  --trunk-only       without the puzzle rows (nearly all of an ARC checkpoint): identifier 0 alone, its row zeros`,

  async run(args) {
    const { values, positionals } = parse(args, {
      to: { type: 'string' },
      out: { type: 'string' },
      half: { type: 'boolean', default: false },
      task: { type: 'string' },
      'trunk-only': { type: 'boolean', default: false },
    });
    const path = onePositional(positionals, 'one checkpoint or run folder');
    const format = FORMATS.find((name) => name === values.to);
    if (!format) throw new UserError(`give the format with --to ${FORMATS.join(' or --to ')}`);
    if (!values.out) throw new UserError('give the file to write with --out FILE');
    const { out, half, 'trunk-only': trunkOnly } = values;
    if (half && format !== 'safetensors') {
      throw new UserError(
        '--half goes with --to safetensors: the published code casts weights by its forward_dtype',
      );
    }
    if (values.task !== undefined && format !== 'safetensors') {
      throw new UserError('--task goes with --to safetensors: a .pt file has no place for it');
    }
    const task = values.task === undefined ? undefined : taskNamed(values.task);
    const file = await openTensorFile(await fileSource(findCheckpoint(path)));
    try {
      announcePart(file);
      await exportFile(file, { format, out, half, task, trunkOnly });
    } finally {
      await file.close();
    }
    return 0;
  },
};

interface Target {
  format: Format;
  out: string;
  half: boolean;
  task: Task | undefined;
  trunkOnly: boolean;
}

async function exportFile(file: TensorFile, { format, out, half, task, trunkOnly }: Target): Promise<void> {
  if (existsSync(out)) {
    const what = statSync(out).isDirectory()
      ? 'is a folder; name a file in it'
      : 'exists already; choose another name';
    throw new UserError(`${out} ${what}`);
  }
  const context = await readContext(file);
  const config = knownConfig(file, context);
  const found = exportedTensors(file, config, { trunkOnly });
  const tensors = format === 'pt' ? publishedTypes(found, file, config) : found;
  const contents = exportedConfig(tensors, config, trainOf(file, context), otherKeys(file, context));
  const yaml = await planConfig(out, contents);
  const metadata = metadataFor(trunkOnly ? trunkConfig(config) : config, context, task);
  await writeFileAtomic(
    out,
    format === 'pt'
      ? encodeTorchCheckpoint(tensors)
      : safetensorsOf(half ? halfPrecision(tensors) : tensors, metadata),
  );
  if (yaml) await writeFileAtomic(yaml.path, [new TextEncoder().encode(yaml.text)]);
  print(`${out}: ${tensors.size} tensors, ${byteSize(statSync(out).size)}`);
  if (yaml) print(`${yaml.path}: its configuration`);
  if (yaml && !contents.data_path)
    print('The published code wants a data_path in it as well: the folder of a dataset.');
}

/** The file with our own metadata has checksums too, and so the tensors are read twice. */
async function* safetensorsOf(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string> | undefined,
): AsyncGenerator<Uint8Array> {
  const summed = metadata && summedMetadata(metadata, await checksumsOf(tensors));
  yield* streamSafetensors(tensors, summed);
}

function trainOf(file: TensorFile, { beside }: CheckpointContext) {
  return readMetadata(file)?.training?.train ?? (beside && parseAllConfig(beside.value, beside.path).train);
}

/** The published keys that say nothing of the model but that the published code wants back. */
function otherKeys(file: TensorFile, { beside }: CheckpointContext): YamlMap {
  const { data } = readMetadata(file)?.training?.notes ?? {};
  const known = (beside?.value ?? {}) as YamlMap;
  const kept = Object.entries(known).filter(([key]) => IGNORED_KEYS.includes(key) && key !== LENGTH_KEY);
  return { ...(typeof data === 'string' ? { data_path: data } : {}), ...Object.fromEntries(kept) };
}

/**
 * Our own metadata, where the sequence length that they hold is known; all_config.yaml does for the rest.
 * @throws UserError where the model does not read grids of the task
 */
function metadataFor(
  config: KnownConfig,
  { meaning }: CheckpointContext,
  task: Task | undefined,
): Record<string, string> | undefined {
  const seq_len = config.seq_len ?? (task && seqLenOf(task, config.vocab_size));
  if (seq_len === undefined) {
    if (task === undefined) return undefined;
    throw new UserError(`--task ${task} cannot be noted: the checkpoint does not tell its sequence length`);
  }
  const known = { ...config, seq_len };
  if (task) checkTask(task, known);
  return formatMetadata({ config: known, ...meaning, ...(task && { task }) });
}

/**
 * The all_config.yaml to write beside `out`; undefined where one of the same architecture is there.
 * @throws UserError where there is one of another architecture
 */
async function planConfig(out: string, config: YamlMap): Promise<{ path: string; text: string } | undefined> {
  const path = join(dirname(out), RUN_FILES.config);
  if (!existsSync(path)) return { path, text: stringifyYaml(config) };
  // forward_dtype may be left out, and then means different things.
  const archOf = (value: YamlValue) =>
    JSON.stringify({ ...parseAllConfig(value, path).arch, forward_dtype: undefined });
  const present = parseYaml(await readTextFile(path), path);
  if (archOf(present) === archOf(config)) return undefined;
  throw new UserError(`${path} describes another model; write to another folder`);
}
