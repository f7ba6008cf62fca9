/** What the page asks of the worker that computes, and what it is told. Everything here can be sent between the two. */

import type { Rule, Task } from 'hrm-webgpu';

/** The GPU, or why there is none. */
export type Gpu = { name: string; software: boolean } | { missing: string };

/** Where weights come from: a URL of this page's own or of a file that was dropped on it. */
export type ModelSource =
  | { url: string }
  | { file: Blob; name: string; config?: string; trunkOnly?: boolean };

export interface ModelInfo {
  task: Task;
  /** Tokens of a puzzle, and kinds of them. */
  seqLen: number;
  vocabSize: number;
  /** Numbers that were learned. */
  parameters: number;
  /** Segments that it was trained to think at most. */
  maxSteps: number;
  /** Steps of the fast module for each of the slow one, and how many of those a segment has. */
  cycles: { H: number; L: number };
  hiddenSize: number;
}

export type PuzzleGrid = number[][];

export interface ThinkRequest {
  grid: PuzzleGrid;
  /** Segments to think. */
  segments: number;
  /** Whether an answer is decoded after every step of the fast module, which costs about two thirds more. */
  everyStep: boolean;
}

/** An answer on the way. */
export interface Frame {
  /** From 1. */
  segment: number;
  /** Steps of the fast module in this segment so far. */
  step: number;
  /** Whether it is what the segment ends with. */
  last: boolean;
  grid: PuzzleGrid;
}

export interface Segment {
  /** From 1. */
  segment: number;
  frames: Frame[];
  grid: PuzzleGrid;
  /** How sure the model is of each cell, 0 to 1. */
  confidence: ArrayLike<number>;
  qHalt: number;
  qContinue: number;
  /** Milliseconds that the segment took; not known of a recording. */
  ms?: number;
  /** Whether the rules prove the answer right; undefined where no rule says so. */
  proven?: boolean;
  /** The steps of both modules in their order. */
  steps: Step[];
}

export interface Step {
  level: 'H' | 'L';
  /** How far the step moved its module's whole state, ‖zⁱ − zⁱ⁻¹‖₂; before the first step that is `H_init` or `L_init`. */
  residual: number;
}

/** A segment as the engine tells it: with the states, which are large and go to the worker that measures them. */
export interface ToldSegment extends Segment {
  /** What each of `steps` made of its module's state [T, D]. */
  states: Float32Array[];
}

export interface GuessRequest {
  grid: PuzzleGrid;
  segments: number;
  guesses: number;
  noise: number;
  seed: number;
  select: Rule | 'auto';
}

export interface GuessShown {
  guess: number;
  grid: PuzzleGrid;
  segments: number;
  qHalt: number;
  qContinue: number;
  proven?: boolean;
  symmetry: Readonly<Record<string, number>>;
}

export interface GuessOutcome {
  /** The number of the guess that was chosen, and the rule that chose it. */
  winner: number;
  rule: string;
  guesses: GuessShown[];
}

/** Something that the person at the page can mend or should know; other failures are faults of the page. */
export interface Trouble {
  message: string;
}
