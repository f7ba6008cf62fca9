import { type Device, UserError } from '@hrm-webgpu/core';
import type { TensorFile } from '../formats/tensor-file.ts';
import { type ArchConfig, type ModelConfig, puzzlePositions } from './config.ts';
import { HrmModel } from './model.ts';
import { PUZZLE_ROWS, parameterBytes, parameterShapes } from './parameters.ts';
import type { ModelOptions } from './weights.ts';

/** A model's configuration, as far as a checkpoint tells: with RoPE, nothing in it depends on the sequence length. */
export type KnownConfig = Omit<ModelConfig, 'seq_len'> & { seq_len?: number };

/**
 * The configuration of a checkpoint, from its architecture and its tensors: `all_config.yaml` does not hold vocabulary,
 * identifiers or sequence length.
 *
 * @throws UserError when weights and architecture contradict each other
 */
export function knownConfigOf(arch: ArchConfig, file: TensorFile): KnownConfig {
  const [vocab_size] = file.info('embed_tokens.embedding_weight').shape;
  const positions = 'embed_pos.embedding_weight';
  const learned = file.names.includes(positions);
  if (learned !== (arch.pos_encodings === 'learned')) {
    throw new UserError(
      `${file.name} ${learned ? 'has' : 'has no'} learned positions, but its configuration says ` +
        `pos_encodings: ${arch.pos_encodings}. Use the all_config.yaml that belongs to this checkpoint.`,
    );
  }
  const seq_len = learned ? file.info(positions).shape[0] - puzzlePositions(arch) : undefined;
  const num_puzzle_identifiers = file.names.includes(PUZZLE_ROWS) ? file.info(PUZZLE_ROWS).shape[0] : 1;
  return { ...arch, vocab_size, seq_len, num_puzzle_identifiers };
}

/**
 * A full configuration.
 *
 * @param seqLen the sequence length, where the checkpoint does not tell it; from the dataset or the input
 * @throws UserError when neither tells it
 */
export function withSeqLen(config: KnownConfig, file: TensorFile, seqLen: number | undefined): ModelConfig {
  const seq_len = config.seq_len ?? seqLen;
  if (seq_len !== undefined) return { ...config, seq_len };
  throw new UserError(`${file.name} does not tell its sequence length: give a dataset or a puzzle with it.`);
}

/** The full configuration of a checkpoint: `knownConfigOf` `withSeqLen`. */
export function configOf(arch: ArchConfig, file: TensorFile, seqLen: number | undefined): ModelConfig {
  return withSeqLen(knownConfigOf(arch, file), file, seqLen);
}

/** What to leave out of a checkpoint. */
export interface LoadOptions {
  /**
   * Without the puzzle rows, which are nearly all of an ARC checkpoint: the model has identifier 0 alone, with zeros
   * for its row.
   */
  trunkOnly?: boolean;
  /** Stops between two pieces of the weights. */
  signal?: AbortSignal;
}

/** The configuration of a model without puzzle rows, but for identifier 0. */
export function trunkConfig<C extends KnownConfig>(config: C): C {
  return { ...config, num_puzzle_identifiers: 1 };
}

/** @throws UserError when a tensor is missing or has another shape than the configuration asks for */
export function checkShape(file: TensorFile, name: string, shape: readonly number[]): void {
  const found = file.info(name).shape;
  if (found.length === shape.length && found.every((extent, i) => extent === shape[i])) return;
  throw new UserError(
    `${file.name}: '${name}' has shape [${found.join(', ')}], but the configuration asks for ` +
      `[${shape.join(', ')}]. Use the all_config.yaml that belongs to this checkpoint.`,
  );
}

/** The layers of a module, by the names of their tensors. */
export function layersOf(file: TensorFile, level: 'H' | 'L'): number {
  const pattern = new RegExp(`^${level}_level\\.layers\\.(\\d+)\\.`);
  return new Set(file.names.flatMap((name) => name.match(pattern)?.[1] ?? [])).size;
}

/** @throws UserError when the modules do not have the layers that the configuration asks for */
export function checkLayers(file: TensorFile, config: KnownConfig): void {
  for (const level of ['H', 'L'] as const) {
    const [found, asked] = [layersOf(file, level), config[`${level}_layers`]];
    if (found === asked) continue;
    throw new UserError(
      `${file.name} has ${found} ${level} layers, but its configuration says ${level}_layers: ${asked}. ` +
        'Use the all_config.yaml that belongs to this checkpoint.',
    );
  }
}

/** @throws UserError where the weights alone would take more memory than there is */
function expectRoom({ freeMemory }: Device, config: ModelConfig, file: string): void {
  const { weights, transposed } = parameterBytes(config);
  const needed = weights + transposed;
  if (freeMemory === undefined || needed <= freeMemory) return;
  const mega = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  throw new UserError(
    `${file}: its weights take ${mega(needed)} on the GPU, which is this machine's processor, and ${mega(freeMemory)} of memory are free`,
  );
}

/**
 * A model with the weights of a checkpoint, which pass through the host in pieces.
 *
 * @throws UserError naming the first tensor that is missing or has another shape than the configuration asks for; the
 *   signal's reason when aborted
 */
export async function loadModel(
  device: Device,
  config: ModelConfig,
  file: TensorFile,
  { trunkOnly = false, signal, shardBytes }: LoadOptions & ModelOptions = {},
): Promise<HrmModel> {
  checkLayers(file, config);
  for (const [name, shape] of parameterShapes(config)) {
    if (!(trunkOnly && name === PUZZLE_ROWS)) checkShape(file, name, shape);
  }
  const loaded = trunkOnly ? trunkConfig(config) : config;
  expectRoom(device, loaded, file.name);
  async function* stoppable(name: string): AsyncGenerator<Float32Array> {
    for await (const piece of file.piecesF32(name)) {
      signal?.throwIfAborted();
      yield piece;
    }
  }
  const weight = (name: string, shape: readonly number[]) => {
    if (trunkOnly && name === PUZZLE_ROWS) return new Float32Array(shape[1]);
    return stoppable(name);
  };
  return HrmModel.load(device, loaded, weight, { shardBytes });
}
