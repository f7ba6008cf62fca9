import type { LossType } from '@hrm-webgpu/kernels';

/** The published `arch` keys. */
export interface ArchConfig {
  hidden_size: number;
  num_heads: number;
  expansion: number;
  H_layers: number;
  L_layers: number;
  H_cycles: number;
  L_cycles: number;
  pos_encodings: 'rope' | 'learned';
  rope_theta: number;
  rms_norm_eps: number;
  puzzle_emb_ndim: number;
  halt_max_steps: number;
  halt_exploration_prob: number;
  /** What the published code computes in; this engine computes in f32 and keeps the key. */
  forward_dtype: string;
  /** `arch.loss.loss_type` */
  loss_type: LossType;
  /** Variant: no second segment for what q_continue should be; q_halt > 0 alone halts. Default false. */
  no_continue: boolean;
  /**
   * Variant: how many of the last H cycles the gradient flows through, L steps and H step each; default 0, the last step of
   * each module (the one-step gradient). Memory grows with it.
   */
  gradient_cycles: number;
  /**
   * `hrm`, or for comparison `transformer`: the blocks of both modules one after the other, once, without ACT (the paper's direct
   * prediction). Its `halt_max_steps` is 1.
   */
  model: 'hrm' | 'transformer';
}

/** An architecture together with what the data decide. */
export interface ModelConfig extends ArchConfig {
  vocab_size: number;
  seq_len: number;
  num_puzzle_identifiers: number;
}

/** The published training keys. */
export interface TrainConfig {
  global_batch_size: number;
  epochs: number;
  eval_interval: number;
  lr: number;
  lr_min_ratio: number;
  lr_warmup_steps: number;
  weight_decay: number;
  beta1: number;
  beta2: number;
  puzzle_emb_lr: number;
  puzzle_emb_weight_decay: number;
  seed: number;
  /** Variant: an exponential moving average of the trained weights is what is evaluated, and saved beside them. Default false. */
  ema: boolean;
  /** How much of the average stays at each step. */
  ema_rate: number;
}

/** The published full-size architecture (27 M parameters). */
export const DEFAULT_ARCH: ArchConfig = {
  hidden_size: 512,
  num_heads: 8,
  expansion: 4,
  H_layers: 4,
  L_layers: 4,
  H_cycles: 2,
  L_cycles: 2,
  pos_encodings: 'rope',
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  puzzle_emb_ndim: 512,
  halt_max_steps: 16,
  halt_exploration_prob: 0.1,
  forward_dtype: 'float32',
  loss_type: 'stablemax_cross_entropy',
  no_continue: false,
  gradient_cycles: 0,
  model: 'hrm',
};

/** The published training defaults (those of the ARC recipes). */
export const DEFAULT_TRAIN: TrainConfig = {
  global_batch_size: 768,
  epochs: 100000,
  eval_interval: 10000,
  lr: 1e-4,
  lr_min_ratio: 1,
  lr_warmup_steps: 2000,
  weight_decay: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  puzzle_emb_lr: 1e-2,
  puzzle_emb_weight_decay: 0.1,
  seed: 0,
  ema: false,
  ema_rate: 0.999,
};

/** A published `all_config.yaml`, or parts of one: keys that it lacks keep their defaults. */
export interface AllConfig {
  arch: ArchConfig;
  train: TrainConfig;
}

/** P, the positions that the puzzle embedding takes in front of the tokens. */
export function puzzlePositions({ puzzle_emb_ndim, hidden_size }: ArchConfig): number {
  return Math.ceil(puzzle_emb_ndim / hidden_size);
}

/** Width of the SwiGLU: expansion·D·2/3 rounded (halves to even, as Python does), up to a multiple of 256. */
export function swigluWidth({ hidden_size, expansion }: ArchConfig): number {
  return Math.ceil(roundHalfToEven((expansion * hidden_size * 2) / 3) / 256) * 256;
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
