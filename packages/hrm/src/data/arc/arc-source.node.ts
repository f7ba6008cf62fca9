/** ARC tasks from files and folders, as they are published. Node only. */

import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { fileError } from '../../formats/files/file-error.node.ts';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { quoted } from '../../formats/quote.ts';
import { type ArcTask, missingOutput, UNKNOWN } from './arc.ts';
import { parseName } from './arc-augment.ts';
import { addSolutions, type PlacedTask, parseTaskFile } from './arc-files.ts';

/** The folders whose tasks are to be solved: their test pairs make the test split. */
const EVALUATION = ['evaluation', 'test'];

/** The ARC Prize's files of many tasks, and what it calls the file of their tests' outputs. */
const CHALLENGES = /challenges\.json$/;
const SOLUTIONS = 'solutions.json';

/** A task and whether it is one to be solved. */
export interface ArcSource {
  task: ArcTask;
  evaluation: boolean;
}

/**
 * Reads tasks from files (one task, many by their names, or pairs alone) and folders: `<folder>/<any name>/*.json` as ARC-AGI and
 * ConceptARC are published, or else `<folder>/*.json`; where there are `*challenges.json` in a folder, these alone.
 * Outputs are taken from the `*solutions.json` beside such a file, if there is one. In each folder the sub-folders and files
 * come in the order of their names.
 *
 * @throws UserError naming the file and what is wrong in it; for two tasks of the same name; if there are none
 */
export async function readArcTasks(paths: string[]): Promise<ArcSource[]> {
  const sources: ArcSource[] = [];
  const places = new Map<string, string>();
  for (const path of paths) {
    for (const file of await taskFiles(path)) {
      for (const { task, place } of await readTasks(file)) {
        // Pairs alone are all to train on, wherever they lie.
        const evaluation = task.test.length > 0 && isEvaluation(file);
        if (!evaluation) checkOutputs(task, place);
        checkName(task.name, place, places);
        sources.push({ task, evaluation });
      }
    }
  }
  return sources;
}

async function taskFiles(path: string): Promise<string[]> {
  if (existsSync(path) && !(await isFolder(path))) return [path];
  const inSubfolders: string[] = [];
  for (const subfolder of await entries(path, isFolder)) {
    for (const file of await filesIn(subfolder)) inSubfolders.push(file);
  }
  const files = inSubfolders.length > 0 ? inSubfolders : await filesIn(path);
  if (files.length > 0) return files;
  throw new UserError(
    `${path}: holds no tasks. Expected ${join(path, '<any name>')}/*.json, as in a folder with sub-folders 'training' and ` +
      `'${EVALUATION[0]}', or ${join(path, '*.json')}.`,
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const files = await entries(folder, (path) => path.endsWith('.json'));
  const challenges = files.filter((file) => CHALLENGES.test(file));
  return challenges.length > 0 ? challenges : files;
}

/** Whether the tests of a file's tasks are to be solved: its name says so, or that of its folder. */
function isEvaluation(file: string): boolean {
  const [, named] = /(training|evaluation|test)[_-]challenges\.json$/.exec(basename(file)) ?? [];
  return EVALUATION.includes(named ?? basename(dirname(resolve(file))));
}

async function readTasks(file: string): Promise<PlacedTask[]> {
  if (file.endsWith(SOLUTIONS)) {
    throw new UserError(
      `${file}: holds outputs alone. Give the file of the challenges: these are read with it.`,
    );
  }
  const tasks = parseTaskFile(await readTextFile(file), file, basename(file, '.json'));
  const solutions = file.replace(CHALLENGES, SOLUTIONS);
  if (solutions !== file && existsSync(solutions))
    addSolutions(tasks, await readTextFile(solutions), solutions);
  return tasks;
}

/** Pairs to train on need an output. */
function checkOutputs({ test }: ArcTask, place: string): void {
  const missing = test.findIndex(({ output }) => output === UNKNOWN);
  if (missing < 0) return;
  throw new UserError(
    `${missingOutput(`${place}: test[${missing}]`).message} Only tasks in a folder 'evaluation' or 'test', or a file ` +
      '*_evaluation_challenges.json or *_test_challenges.json, may leave it out: the others are trained on. Outputs may ' +
      'stand in a file *_solutions.json beside *_challenges.json.',
  );
}

/** Names become identifiers, one each, and say what has been done to a task. */
function checkName(name: string, place: string, places: Map<string, string>): void {
  const other = places.get(name);
  if (other !== undefined) {
    throw new UserError(
      `${place}: the task ${quoted(name)} is in ${other} already. ARC-AGI-2 holds tasks of ARC-AGI-1: do not build ` +
        'them into one dataset, or leave out one of the two files.',
    );
  }
  if (parseName(name).augmentation) {
    throw new UserError(
      `${place}: the task's name ${quoted(name)} ends as those of augmented tasks do. Give it another name.`,
    );
  }
  places.set(name, place);
}

async function entries(
  folder: string,
  wanted: (path: string) => boolean | Promise<boolean>,
): Promise<string[]> {
  const names = await readdir(folder).catch((cause) => {
    throw fileError('cannot read', folder, cause);
  });
  const paths: string[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name);
    if (await wanted(path)) paths.push(path);
  }
  return paths;
}

async function isFolder(path: string): Promise<boolean> {
  return existsSync(path) && (await stat(path)).isDirectory();
}
