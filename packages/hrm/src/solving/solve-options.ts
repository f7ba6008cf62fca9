import { UserError } from '@hrm-webgpu/core';
import type { ModelConfig } from '../model/config.ts';

/** The model's answer to a grid after a segment. */
export interface GridAnswer {
  /** What `tokens` mean: see `Task`. */
  grid: number[][];
  /** [seq_len] */
  tokens: Int32Array;
  /** The model would halt where it exceeds `qContinue`. */
  qHalt: number;
  qContinue: number;
}

/** An answer on the way. */
export interface Thought extends GridAnswer {
  /** From 1. */
  segment: number;
  /** Which of the grids, from 0. */
  index: number;
}

/** The last answer to a grid. */
export interface Solution extends GridAnswer {
  /** How many segments were thought. */
  segments: number;
  /** Whether the model halted by itself: `qHalt` exceeds `qContinue`. */
  halted: boolean;
  /**
   * Whether this adapter's kernels had been checked against float64 by then: always, but for the first answer in a browser,
   * which does not wait for it.
   */
  verified: boolean;
}

export interface SolveOptions {
  /** The most segments; default the model's `halt_max_steps`. More is inference-time scaling. */
  maxSteps?: number;
  /**
   * Whether a grid is done as soon as q_halt exceeds q_continue; default true. Otherwise every grid is thought about
   * for `maxSteps` segments, as published evaluations do.
   */
  halt?: boolean;
  /** Called with the answer after every segment of every grid. */
  onSegment?: (thought: Thought) => void;
  /** Stops the work between two segments. */
  signal?: AbortSignal;
  /** Which puzzle row goes with the grids; default 0, the blank one. */
  puzzleIdentifier?: number;
  /** Grids at a time, where there are more; default 32. */
  batchSize?: number;
}

const BATCH_SIZE = 32;
/** More segments than a row's counter holds. */
export const TOO_MANY_STEPS = 2 ** 31 - 1;

export type Settings = Required<Omit<SolveOptions, 'onSegment' | 'signal'>> &
  Pick<SolveOptions, 'onSegment' | 'signal'>;

/** @throws UserError for a number out of its range */
export function checkedSettings(options: SolveOptions, config: ModelConfig): Settings {
  const {
    maxSteps = config.halt_max_steps,
    puzzleIdentifier = 0,
    batchSize = BATCH_SIZE,
    halt = true,
    ...rest
  } = options;
  const check = (name: string, value: number, least: number, most: number) => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw new UserError(`${name} is ${value}, expected a whole number from ${least} to ${most}`);
  };
  check('maxSteps', maxSteps, 1, TOO_MANY_STEPS - 1);
  check('batchSize', batchSize, 1, 65_536);
  check('puzzleIdentifier', puzzleIdentifier, 0, config.num_puzzle_identifiers - 1);
  return { maxSteps, puzzleIdentifier, batchSize, halt, ...rest };
}
