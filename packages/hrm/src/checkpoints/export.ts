/** What an exported checkpoint holds: the weights of a model under their published names, and its configuration. */

import { UserError } from '@hrm-webgpu/core';
import { type DType, f32ToBf16, f32ToF16, toF32, typedView } from '../formats/dtype.ts';
import { quoted } from '../formats/quote.ts';
import type { StoredTensor, TensorFile } from '../formats/tensor-file.ts';
import type { YamlMap } from '../formats/yaml/yaml.ts';
import { type ArchConfig, DEFAULT_TRAIN, type TrainConfig } from '../model/config.ts';
import { checkLayers, checkShape, type KnownConfig, type LoadOptions, trunkConfig } from '../model/load.ts';
import { BUFFER_NAMES, PUZZLE_ROWS, parameterShapes } from '../model/parameters.ts';
import { formatAllConfig } from '../model/parse-config.ts';

/**
 * The tensors of a checkpoint that make its model, without optimiser and carry, to be streamed from `file`. Their types
 * stay as they are.
 *
 * @throws UserError naming the first tensor that is missing or has another shape than the configuration asks for
 */
export function exportedTensors(
  file: TensorFile,
  config: KnownConfig,
  { trunkOnly = false }: LoadOptions = {},
): Map<string, StoredTensor> {
  checkLayers(file, config);
  const known = trunkOnly ? trunkConfig(config) : config;
  // Without learned positions, which tell it, no shape depends on the sequence length.
  const shapes = parameterShapes({ ...known, seq_len: known.seq_len ?? 0 });
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shape] of shapes) {
    if (trunkOnly && name === PUZZLE_ROWS) {
      const zeros = new Uint8Array(4 * shape[1]);
      tensors.set(name, { dtype: 'F32', shape, pieces: () => once(zeros) });
      continue;
    }
    checkShape(file, name, shape);
    tensors.set(name, { ...file.info(name), pieces: () => bytesOf(file.pieces(name)) });
  }
  return tensors;
}

/**
 * The tensors of {@link exportedTensors} in the types that the published code computes with: it takes the initial states
 * as they are, so they must be of `forward_dtype`; weights it converts itself.
 */
export function publishedTypes(
  tensors: ReadonlyMap<string, StoredTensor>,
  file: TensorFile,
  { forward_dtype }: ArchConfig,
): Map<string, StoredTensor> {
  const result = new Map(tensors);
  for (const name of forward_dtype === 'bfloat16' ? BUFFER_NAMES : []) {
    const { shape, dtype } = file.info(name);
    if (dtype !== 'BF16')
      result.set(name, { dtype: 'BF16', shape, pieces: () => rounded(file.piecesF32(name)) });
  }
  return result;
}

/**
 * Tensors with their elements rounded to binary16, half the bytes of F32.
 *
 * @throws UserError, as the pieces are read, naming the first tensor with a value beyond the range of binary16
 */
export function halfPrecision(tensors: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  const halved = ([name, tensor]: [string, StoredTensor]): [string, StoredTensor] => {
    const { dtype, shape } = tensor;
    return [
      name,
      dtype === 'F16' ? tensor : { dtype: 'F16', shape, pieces: () => halvedPieces(name, tensor) },
    ];
  };
  return new Map([...tensors].map(halved));
}

/** From here on values round to infinity. */
const BEYOND_F16 = 65_520;

async function* halvedPieces(name: string, { dtype, pieces }: StoredTensor): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces()) {
    const values = toF32(dtype, typedView(dtype, piece));
    const beyond = values.find((value) => Math.abs(value) >= BEYOND_F16);
    if (beyond !== undefined) {
      throw new UserError(
        `${quoted(name)} holds ${beyond}, beyond the range of half precision, ±65504: leave out --half`,
      );
    }
    yield new Uint8Array(f32ToF16(values).buffer);
  }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function* bytesOf(pieces: AsyncIterable<ArrayBufferView>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
}

async function* rounded(pieces: AsyncIterable<Float32Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield new Uint8Array(f32ToBf16(piece).buffer);
}

/** `forward_dtype` for initial states of a type; those of F32 leave it as it is. */
const FORWARD_DTYPES: Partial<Record<DType, string>> = { BF16: 'bfloat16', F16: 'float16' };

/**
 * The contents of the all_config.yaml that goes with exported tensors, in the published keys.
 *
 * @param train left out where it is not known how the model was trained
 * @param others published keys that say nothing about the model, such as `data_path`
 */
export function exportedConfig(
  tensors: ReadonlyMap<string, StoredTensor>,
  config: KnownConfig,
  train: TrainConfig | undefined,
  others: YamlMap,
): YamlMap {
  const { vocab_size: _v, seq_len: _s, num_puzzle_identifiers: _n, ...rest } = config;
  // A published file may leave the key out, and its default there is not ours: the states tell what was meant.
  const states = tensors.get(BUFFER_NAMES[0])?.dtype ?? 'F32';
  const arch = { ...rest, forward_dtype: FORWARD_DTYPES[states] ?? rest.forward_dtype };
  const { arch: archKeys, ...trainKeys } = formatAllConfig({ arch, train: train ?? DEFAULT_TRAIN });
  return { arch: archKeys, ...(train ? trainKeys : {}), ...others };
}
