/** What the tensors of a checkpoint tell of its model, and whether they fit its configuration. */

import { UserError } from '@hrm-webgpu/core';
import { elementCount, type TensorFile } from '../formats/tensor-file.ts';
import { checkLayers, checkShape, type KnownConfig, layersOf } from '../model/load.ts';
import { BUFFER_NAMES, PUZZLE_ROWS, parameterShapes } from '../model/parameters.ts';

/** What a tensor is for. */
export type TensorRole = 'trunk' | 'puzzle rows' | 'initial states' | 'optimizer' | 'carry' | 'other';

const TRUNK =
  /^(?:embed_tokens\.embedding_weight|embed_pos\.embedding_weight|lm_head\.weight|q_head\.(?:weight|bias)|[HL]_level\.layers\.\d+\.[\w.]+)$/;

const WEIGHTS: readonly TensorRole[] = ['trunk', 'puzzle rows', 'initial states'];

/** A tensor's role, by its published name or by the prefix that our checkpoints give it. */
export function roleOf(name: string): TensorRole {
  if (TRUNK.test(name)) return 'trunk';
  if (name === PUZZLE_ROWS) return 'puzzle rows';
  if (BUFFER_NAMES.includes(name)) return 'initial states';
  if (name.startsWith('optimizer.')) return 'optimizer';
  return name.startsWith('carry.') ? 'carry' : 'other';
}

/** What shapes and names tell; undefined where the tensor that tells it is missing. */
export interface ModelFacts {
  hidden_size?: number;
  H_layers: number;
  L_layers: number;
  /** Width of the SwiGLU. */
  swiglu_width?: number;
  vocab_size?: number;
  num_puzzle_identifiers?: number;
  puzzle_emb_ndim?: number;
  pos_encodings: 'rope' | 'learned';
  /** Rows of the learned positions, those of the puzzle embedding included. */
  positions?: number;
  /** Elements of trained weights other than puzzle rows. */
  trunk_parameters: number;
  puzzle_parameters: number;
}

/** The facts of a model; undefined for a file without any of a model's tensors. */
export function factsOf(file: TensorFile): ModelFacts | undefined {
  const ofRole = (role: TensorRole) => file.names.filter((name) => roleOf(name) === role);
  const elements = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + elementCount(file.info(name).shape), 0);
  const extent = (name: string, axis: number) =>
    file.names.includes(name) ? file.info(name).shape[axis] : undefined;
  const trunk = ofRole('trunk');
  if (trunk.length === 0) return undefined;
  return {
    hidden_size: extent('embed_tokens.embedding_weight', 1),
    H_layers: layersOf(file, 'H'),
    L_layers: layersOf(file, 'L'),
    swiglu_width: extent('H_level.layers.0.mlp.down_proj.weight', 1),
    vocab_size: extent('embed_tokens.embedding_weight', 0),
    num_puzzle_identifiers: extent(PUZZLE_ROWS, 0),
    puzzle_emb_ndim: extent(PUZZLE_ROWS, 1),
    pos_encodings: file.names.includes('embed_pos.embedding_weight') ? 'learned' : 'rope',
    positions: extent('embed_pos.embedding_weight', 0),
    trunk_parameters: elements(trunk),
    puzzle_parameters: elements(ofRole('puzzle rows')),
  };
}

/** What keeps the tensors from being the model of `config`: missing ones, wrong shapes, those that it has no place for. */
export function contradictions(file: TensorFile, config: KnownConfig): string[] {
  // First, since a configuration can ask for any number of layers: their shapes are listed only where there are as many.
  const layers = complaint(() => checkLayers(file, config));
  if (layers) return [layers];
  const shapes = parameterShapes({ ...config, seq_len: config.seq_len ?? 0 });
  const found = [...shapes].flatMap(([name, shape]) => complaint(() => checkShape(file, name, shape)) ?? []);
  const weights = file.names.filter((name) => WEIGHTS.includes(roleOf(name)));
  const needless = weights.filter((name) => !shapes.has(name));
  return [...found, ...needless.map((name) => `${file.name}: '${name}' has no place in its configuration.`)];
}

/** The message of the UserError that `check` throws. */
function complaint(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
