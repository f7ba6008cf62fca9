/** What a checkpoint keeps of the command line, and of how the run stands. */
import { UserError } from '@hrm-webgpu/core';
import {
  faultIn,
  isPositive,
  isRecord,
  orNull,
  RULES,
  type Rules,
  recordOf,
} from '../../../formats/record-rules.ts';
import type { Score } from '../../../runs/score.ts';
import { FRESH, NO_RULES, type Standing, type StopRules } from './early-stop.ts';

export interface SaveEvery {
  steps: number | null;
  seconds: number | null;
}

/** What a checkpoint keeps of the command line, so that `--resume` needs no other option. */
export interface RunNotes {
  /** Absolute path of the dataset. */
  data: string;
  /** Tells what is trained and evaluated on from other data under the same path; see `fingerprint`. */
  dataset: string;
  evalSplit: string | null;
  evalEvery: number;
  augment: string | null;
  /** Batches until a curriculum draws from all groups; null without one. */
  curriculum: number | null;
  /** How many evaluations' weights are kept beside the best. */
  snapshots: number;
  /** How many of the last checkpoints are kept. */
  keep: number;
  /** How often the run is saved: after so many steps, or seconds; the other is null. */
  saveEvery: SaveEvery;
  /** Whether TensorBoard is to read what is logged. */
  tensorboard: boolean;
  /** The best evaluation so far; null before the first. */
  best: Score | null;
  /** The step of the last evaluation. */
  evaluatedStep: number;
  /** See TrainerOptions. */
  microBatch: number | null;
  /** Evaluate a random sample of so many examples, drawn with the run's seed; null for all. */
  evalSample: number | null;
  stop: StopRules;
  standing: Standing;
}

/** Notes of a run that has not begun, where the command line says nothing else; older checkpoints lack some. */
export const DEFAULT_NOTES = {
  best: null,
  curriculum: null,
  snapshots: 0,
  keep: 2,
  saveEvery: { steps: null, seconds: 300 },
  tensorboard: false,
  evaluatedStep: 0,
  microBatch: null,
  evalSample: null,
  stop: NO_RULES,
  standing: FRESH,
} as const satisfies Partial<RunNotes>;

const RULES_OF_NOTES: Rules<keyof RunNotes> = {
  data: RULES.text,
  dataset: RULES.text,
  evalSplit: orNull(RULES.text),
  evalEvery: RULES.positive,
  augment: orNull(RULES.text),
  curriculum: orNull(RULES.positive),
  snapshots: RULES.count,
  keep: RULES.positive,
  saveEvery: [
    'a number of steps or of seconds',
    (value) =>
      isRecord(value) &&
      isPositive(value.steps ?? value.seconds) &&
      (value.steps === null) !== (value.seconds === null),
  ],
  tensorboard: RULES.flag,
  best: orNull(recordOf({ exact: RULES.share, accuracy: RULES.share, loss: RULES.finite })),
  evaluatedStep: RULES.count,
  microBatch: orNull(RULES.positive),
  evalSample: orNull(RULES.positive),
  stop: recordOf({ trainAccuracy: orNull(RULES.share), patience: orNull(RULES.positive) }),
  standing: recordOf({
    halted: RULES.count,
    exact: RULES.count,
    trainAccuracy: orNull(RULES.share),
    worse: RULES.count,
  }),
};

/**
 * The notes of a checkpoint.
 *
 * @throws UserError where they are not what a run leaves
 */
export function readNotes(saved: Readonly<Record<string, unknown>>, file: string): RunNotes {
  const notes = { ...DEFAULT_NOTES, ...saved };
  const fault = faultIn(notes, RULES_OF_NOTES);
  if (fault)
    throw new UserError(
      `${file}: what it says of its training run is damaged (${fault}); use another checkpoint`,
    );
  return notes as unknown as RunNotes;
}
