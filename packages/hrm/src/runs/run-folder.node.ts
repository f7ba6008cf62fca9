/** Folders of runs, as they are found on disk. Node only. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { RUN_FILES, SNAPSHOTS } from '../checkpoints/model-file.node.ts';
import { fileError } from '../formats/files/file-error.node.ts';
import { readTextFile } from '../formats/files/file-source.node.ts';
import { Lock } from '../formats/files/lock.node.ts';
import { parseYaml, type YamlMap } from '../formats/yaml/yaml.ts';
import { LENGTH_KEY } from '../model/parse-config.ts';
import {
  type EvaluationLine,
  parseLog,
  parseSessions,
  type RunLines,
  type SessionLine,
} from './run-lines.ts';
import { isBetter, type Score } from './score.ts';

/** The file that keeps other processes out of a run's folder. */
export const RUN_LOCK = 'lock';

/** `running`: a process trains; `done`: to its end; `stopped`: before it. */
export type RunState = 'running' | 'done' | 'stopped';

export interface RunFolder extends RunLines {
  path: string;
  name: string;
  state: RunState;
  /** Steps made, as far as the log tells, and those of the whole run where the folder tells. */
  step: number;
  totalSteps?: number;
  /** `all_config.yaml`, under its published keys with dots: `arch.hidden_size`; empty where it cannot be read. */
  settings: ReadonlyMap<string, unknown>;
  sessions: SessionLine[];
  best?: EvaluationLine;
  /** Of everything in the folder. */
  bytes: number;
  /** When anything in it was written last, in milliseconds since 1970. */
  changed: number;
}

/** Whether there is a run in a folder. */
export function isRunFolder(path: string): boolean {
  return existsSync(join(path, RUN_FILES.log)) && existsSync(join(path, RUN_FILES.config));
}

/** The runs in a folder: itself, and those in it and in the folders in it; by name. */
export function runsIn(folder: string): string[] {
  if (!existsSync(folder)) throw new UserError(`${folder}: no such folder`);
  if (isRunFolder(folder)) return [folder];
  const below = foldersIn(folder);
  return below
    .flatMap((path) => (isRunFolder(path) ? [path] : foldersIn(path).filter(isRunFolder)))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name));
  } catch (cause) {
    throw fileError('cannot read', folder, cause);
  }
}

/** @throws UserError for a folder without a run */
export async function readRunFolder(path: string): Promise<RunFolder> {
  if (!isRunFolder(path))
    throw new UserError(`${path}: holds no run (looked for ${RUN_FILES.log} and ${RUN_FILES.config})`);
  const { steps, evaluations } = parseLog(await readTextFile(join(path, RUN_FILES.log)));
  const sessionsPath = join(path, RUN_FILES.sessions);
  const sessions = existsSync(sessionsPath) ? parseSessions(await readTextFile(sessionsPath)) : [];
  const settings = await settingsOf(join(path, RUN_FILES.config));
  const total = settings.get(LENGTH_KEY);
  const totalSteps = typeof total === 'number' ? total : undefined;
  const step = Math.max(0, steps.at(-1)?.step ?? 0, evaluations.at(-1)?.step ?? 0);
  const running = Lock.isHeld(join(path, RUN_LOCK));
  return {
    ...{ path, name: basename(resolve(path)), steps, evaluations, sessions, settings, step, totalSteps },
    state: running ? 'running' : totalSteps !== undefined && step >= totalSteps ? 'done' : 'stopped',
    best: bestOf(evaluations),
    ...sizeOf(path),
  };
}

/** Keys of maps in maps, with dots; what cannot be read has none. */
async function settingsOf(path: string): Promise<Map<string, unknown>> {
  const settings = new Map<string, unknown>();
  const add = (value: unknown, prefix: string) => {
    for (const [key, inner] of Object.entries(value as YamlMap)) {
      if (inner && typeof inner === 'object' && !Array.isArray(inner)) add(inner, `${prefix}${key}.`);
      else settings.set(prefix + key, inner);
    }
  };
  try {
    add(parseYaml(await readTextFile(path), path), '');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return settings;
}

/** As `hrm train` chooses it. */
function bestOf(evaluations: readonly EvaluationLine[]): EvaluationLine | undefined {
  const scoreOf = ({ figures }: EvaluationLine): Score => ({
    exact: figures.exact_accuracy ?? 0,
    accuracy: figures.accuracy ?? 0,
    loss: figures.lm_loss ?? 0,
  });
  let best: EvaluationLine | undefined;
  for (const line of evaluations) if (isBetter(scoreOf(line), best ? scoreOf(best) : null)) best = line;
  return best;
}

/** Two names of one file count once. */
function sizeOf(path: string): { bytes: number; changed: number } {
  const seen = new Set<string>();
  let [bytes, changed] = [0, 0];
  for (const folder of [path, join(path, SNAPSHOTS)].filter(existsSync)) {
    for (const name of readdirSync(folder)) {
      const info = statSync(join(folder, name), { throwIfNoEntry: false });
      if (!info?.isFile()) continue;
      changed = Math.max(changed, info.mtimeMs);
      const id = `${info.dev}:${info.ino}`;
      if (!seen.has(id)) bytes += info.size;
      seen.add(id);
    }
  }
  return { bytes, changed };
}
