/** Options of commands that make several guesses. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '@hrm-webgpu/core';
import { snapshotsIn } from '../checkpoints/model-file.node.ts';
import type { GuessingOptions } from '../guesses/guessing.ts';
import { RULES, type Rule } from '../guesses/select.ts';
import type { Checker } from '../tasks/checkers.ts';
import { decodeGrid, type Task } from '../tasks/tasks.ts';
import { wholeNumber } from './command.ts';

export const GUESS_OPTIONS = {
  guesses: { type: 'string' },
  noise: { type: 'string' },
  select: { type: 'string' },
  symmetries: { type: 'string' },
  checkpoints: { type: 'string' },
  check: { type: 'string' },
  seed: { type: 'string' },
} as const;

/** @param padding spaces to the column of descriptions */
export const guessHelp = (padding: number) => {
  const line = (option: string, ...text: string[]) =>
    [
      `  ${option.padEnd(padding)}${text[0]}`,
      ...text.slice(1).map((more) => ' '.repeat(padding + 2) + more),
    ].join('\n');
  return [
    line(
      '--guesses N',
      'guesses of a puzzle at most: as given, then under symmetries of the task; default 1',
    ),
    line(
      '--noise S',
      'noise of this standard deviation on the latent state before each segment of a',
      'guess but its first; default 0',
    ),
    line('--symmetries A,B', "draw them from these alone; 'none' for noise alone; default all of the task"),
    line('--checkpoints A,B', 'further checkpoints, which take turns; a run folder stands for its snapshots'),
    line(
      '--select RULE',
      'how one is chosen, without labels: auto (the first of these that decides),',
      `${RULES.join(', ')}`,
    ),
    line(
      '--check FILE',
      'a module whose default export judges answers: (puzzle, answer) => boolean, both',
      'rows of numbers; it is run',
    ),
    line('--seed N', 'of symmetries, noise and samples; default 0'),
  ].join('\n');
};

type GuessValues = Partial<Record<keyof typeof GUESS_OPTIONS, string>>;

/**
 * What is asked for; undefined where it is one guess of one checkpoint.
 *
 * @throws UserError for values that are none
 */
export function guessesAsked(values: GuessValues, checkpoints: number): GuessingOptions | undefined {
  const { guesses, noise, select, symmetries, check } = values;
  const count = wholeNumber('guesses', guesses) ?? checkpoints;
  if ([guesses, noise, select, symmetries, check].every((value) => value === undefined) && count === 1)
    return undefined;
  return {
    count,
    noise: noise === undefined ? 0 : deviation(noise),
    select: select === undefined ? 'auto' : ruleNamed(select),
    seed: wholeNumber('seed', values.seed, 0) ?? 0,
    ...(symmetries !== undefined && { symmetries: symmetries === 'none' ? [] : symmetries.split(',') }),
  };
}

/** The value of `--noise`. */
export function deviation(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new UserError(`--noise ${text}: expected a standard deviation, a number from 0`);
}

function ruleNamed(text: string): Rule | 'auto' {
  const rule = (['auto', ...RULES] as const).find((known) => known === text);
  if (rule) return rule;
  throw new UserError(`--select ${text}: expected auto, ${RULES.join(', ')}`);
}

/**
 * The paths of all checkpoints, the first of which is `path`.
 *
 * @param list the value of `--checkpoints`
 * @throws UserError for one that is not there
 */
export function allCheckpoints(path: string, list: string | undefined): string[] {
  if (list === undefined) return [path];
  const further = list.split(',').flatMap((entry) => {
    if (!existsSync(entry))
      throw new UserError(`--checkpoints: ${entry || 'an empty name'}: no such file or folder`);
    const snapshots = snapshotsIn(entry);
    return snapshots.length > 0 ? snapshots : [entry];
  });
  return [path, ...further.filter((one) => resolve(one) !== resolve(path))];
}

/**
 * The checker in a module of the user's, which is run.
 *
 * @throws UserError where there is none
 */
export async function loadChecker(file: string, task: Task): Promise<Checker> {
  if (!existsSync(file)) throw new UserError(`--check ${file}: no such file`);
  let module: { default?: unknown };
  try {
    module = await import(pathToFileURL(resolve(file)).href);
  } catch (cause) {
    throw new UserError(`--check ${file}: cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  const { default: check } = module;
  if (typeof check !== 'function')
    throw new UserError(`--check ${file}: expected a default export (puzzle, answer) => boolean`);
  return (input, answer) => {
    const grid = (tokens: ArrayLike<number>) =>
      decodeGrid(task, Int32Array.from(tokens), Int32Array.from(input));
    let verdict: unknown;
    try {
      verdict = check(grid(input), grid(answer));
    } catch (cause) {
      throw new UserError(`--check ${file}: throws ${(cause as Error).message}`, { cause });
    }
    if (typeof verdict === 'boolean') return verdict;
    throw new UserError(`--check ${file}: returns ${typeof verdict}, expected true or false`);
  };
}
