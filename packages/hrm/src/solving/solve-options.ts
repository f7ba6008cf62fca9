import { UserError } from '@hrm-webgpu/core';
import type { GuessingOptions } from '../guesses/guessing.ts';
import type { Rule } from '../guesses/select.ts';
import type { ModelConfig } from '../model/config.ts';
import type { Checker } from '../tasks/checkers.ts';

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
  /** Which of the puzzle's guesses, from 0, the puzzle as given. */
  guess: number;
  /** From 1. */
  segment: number;
  /** Which of the grids, from 0. */
  index: number;
}

/** What a guess came to. */
export interface GridGuess extends GridAnswer {
  /** From 0, the puzzle as given. */
  guess: number;
  /** Which of the checkpoints thought, from 0. */
  checkpoint: number;
  /** How the puzzle was looked at: the index in each family of symmetries that changed something. */
  symmetry: Readonly<Record<string, number>>;
  segments: number;
  /** Whether `qHalt` exceeds `qContinue` in the end. */
  halted: boolean;
  /** Whether a checker proves the answer; undefined where the task has none. */
  proven?: boolean;
}

/** The answer to a grid: that of the guess that was chosen. */
export interface Solution extends GridGuess {
  /** The rule that chose it; `only` where there was no other. */
  rule: Rule | 'only';
  /** All guesses that came to an end, by their numbers. */
  guesses: readonly GridGuess[];
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
  /**
   * How many guesses at most, default 1: the puzzle under its symmetries, with noise, by every checkpoint that was loaded. They
   * are made one after the other until one is proven (or halts, where there is no checker); see {@link select}.
   */
  guesses?: number;
  /** σ of the noise on z_L before every segment of a guess but its first; default 0. Guess 0 has none. */
  noise?: number;
  /** Names of the symmetries that guesses are drawn from; default all of the task. */
  symmetries?: readonly string[];
  /** Of symmetries and noise; default 0. */
  seed?: number;
  /** How a guess is chosen, without labels; default `auto`, the first rule that decides. */
  select?: Rule | 'auto';
  /** Judges answers in the place of the task's own checker: tokens of the puzzle and of an answer. */
  checker?: Checker;
  /** Called with the answer after every segment of every guess. */
  onSegment?: (thought: Thought) => void;
  /** Called with every guess as it comes to its end, and which of the grids it is of. */
  onGuess?: (guess: GridGuess, index: number) => void;
  /** Stops the work between two segments. */
  signal?: AbortSignal;
  /** Which puzzle row goes with the grids; default 0, the blank one. */
  puzzleIdentifier?: number;
  /** Grids at a time, where there are more; default 32. */
  batchSize?: number;
}

const BATCH_SIZE = 32;
/** More segments than a row's counter holds. */
const TOO_MANY_STEPS = 2 ** 31 - 1;

export type Settings = Required<Pick<SolveOptions, 'maxSteps' | 'puzzleIdentifier' | 'batchSize' | 'halt'>> &
  Pick<SolveOptions, 'onSegment' | 'onGuess' | 'signal'> & {
    /** Undefined where nothing is asked for but one guess. */
    guessing: GuessingOptions | undefined;
  };

/** @throws UserError for a number out of its range */
export function checkedSettings(options: SolveOptions, config: ModelConfig): Settings {
  const {
    maxSteps = config.halt_max_steps,
    puzzleIdentifier = 0,
    batchSize = BATCH_SIZE,
    halt = true,
  } = options;
  const check = (name: string, value: number, least: number, most: number) => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw new UserError(`${name} is ${value}, expected a whole number from ${least} to ${most}`);
  };
  check('maxSteps', maxSteps, 1, TOO_MANY_STEPS - 1);
  check('batchSize', batchSize, 1, 65_536);
  check('puzzleIdentifier', puzzleIdentifier, 0, config.num_puzzle_identifiers - 1);
  const { guesses, noise, seed, select, symmetries, checker, onSegment, onGuess, signal } = options;
  const asked = [guesses, noise, seed, select, symmetries, checker].some((option) => option !== undefined);
  const guessing = asked ? { count: guesses ?? 1, noise, seed, select, symmetries, checker } : undefined;
  return { maxSteps, puzzleIdentifier, batchSize, halt, guessing, onSegment, onGuess, signal };
}
