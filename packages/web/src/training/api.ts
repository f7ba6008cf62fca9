/** What the page asks of the worker that trains, and what it is told. Everything here can be sent between the two. */
import type { History } from './history.ts';
import type { Settings } from './settings.ts';

export type Phase =
  /** Whether a run was saved is not known yet. */
  | 'looking'
  /** There is no run here; perhaps a saved one. */
  | 'idle'
  /** Another tab has the run. */
  | 'elsewhere'
  /** Puzzles are made, weights are loaded, kernels are compiled. */
  | 'preparing'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'finished';

/** A run as it stands. */
export interface RunShown {
  settings: Settings;
  step: number;
  history: History;
}

/** All that the page shows of training. */
export interface Snapshot {
  phase: Phase;
  /** The run that is here, or in phase `idle` the saved one. */
  run?: RunShown;
  /** What went wrong, for the person at the page. */
  trouble?: string;
  /** What else should be known of this run. */
  note?: string;
  /** Whether an evaluation is under way. */
  evaluating?: boolean;
  stepsPerSecond?: number;
  secondsLeft?: number;
  /** The step that was saved last. */
  savedStep?: number;
  /** Why nothing can be saved, where that is so. */
  unsaved?: string;
  /** How often the GPU was lost and opened again. */
  losses: number;
}

/** How much of the GPU a run takes. */
export interface Effort {
  /** Share of the time that it computes, above 0 up to 1. */
  share: number;
  /** How long one submit may keep the GPU busy, in milliseconds. */
  submitMs: number;
}
