import { type Device, UserError } from '@hrm-webgpu/core';
import { type ArchConfig, type ModelConfig, puzzlePositions } from './config.ts';
import type { TensorFile } from './formats/tensor-file.ts';
import { HrmModel } from './model.ts';
import { PUZZLE_ROWS } from './parameters.ts';

/**
 * The full configuration of a checkpoint, from its architecture and its tensors: `all_config.yaml` does not hold
 * vocabulary, identifiers or sequence length.
 *
 * @param seqLen where the checkpoint has no learned positions to tell it; from the dataset or the input
 * @throws UserError when weights and architecture contradict each other
 */
export function configOf(arch: ArchConfig, file: TensorFile, seqLen: number | undefined): ModelConfig {
  const [vocab_size] = file.info('embed_tokens.embedding_weight').shape;
  const positions = 'embed_pos.embedding_weight';
  const learned = file.names.includes(positions);
  if (learned !== (arch.pos_encodings === 'learned')) {
    throw new UserError(
      `${file.name} ${learned ? 'has' : 'has no'} learned positions, but its configuration says ` +
        `pos_encodings: ${arch.pos_encodings}. Use the all_config.yaml that belongs to this checkpoint.`,
    );
  }
  const seq_len = learned ? file.info(positions).shape[0] - puzzlePositions(arch) : seqLen;
  if (seq_len === undefined) {
    throw new UserError(
      `${file.name} does not tell its sequence length: give a dataset or a puzzle with it.`,
    );
  }
  const num_puzzle_identifiers = file.names.includes(PUZZLE_ROWS) ? file.info(PUZZLE_ROWS).shape[0] : 1;
  return { ...arch, vocab_size, seq_len, num_puzzle_identifiers };
}

/**
 * A model with the weights of a checkpoint.
 *
 * @throws UserError naming the first tensor that is missing or has another shape than the configuration asks for
 */
export function loadModel(device: Device, config: ModelConfig, file: TensorFile): Promise<HrmModel> {
  return HrmModel.load(device, config, (name, shape) => {
    const found = file.info(name).shape;
    if (found.length !== shape.length || found.some((extent, i) => extent !== shape[i])) {
      throw new UserError(
        `${file.name}: '${name}' has shape [${found.join(', ')}], but the configuration asks for ` +
          `[${shape.join(', ')}]. Use the all_config.yaml that belongs to this checkpoint.`,
      );
    }
    return file.readF32(name);
  });
}
