/** The forms in which ARC tasks are passed on: one task a file, many in one file, pairs alone. */

import { UserError } from '@hrm-webgpu/core';
import { parseJson } from '../../formats/json.ts';
import { quoted } from '../../formats/quote.ts';
import { type ArcTask, asRecord, parseGrid, parseTask, parseTrainPairs, UNKNOWN, unexpected } from './arc.ts';

/** A task and what messages call the place where it stands. */
export interface PlacedTask {
  task: ArcTask;
  place: string;
}

/**
 * The tasks of a file:
 *
 * - `{"train": […], "test": […]}`, one task, as ARC-AGI and ConceptARC are published;
 * - `{"<name>": {"train": […], "test": […]}, …}`, many, as the ARC Prize publishes them; in the order of their names;
 * - `[{"input": …, "output": …}, …]`, pairs alone, as re-arc makes them: all to train on.
 *
 * @param defaultName the task's name where the file gives none
 * @throws UserError naming the place of what is wrong
 */
export function parseTaskFile(text: string, file: string, defaultName: string): PlacedTask[] {
  const json = parseJsonFile(text, file);
  if (Array.isArray(json)) {
    const task = { name: defaultName, train: parseTrainPairs(json, `${file}: pairs`), test: [] };
    return [{ task, place: file }];
  }
  const record = asRecord(json, `${file}:`, 'a task, tasks by their names, or a list of pairs');
  if (isTask(record)) return [{ task: parseTask(record, file, defaultName), place: file }];
  const names = Object.keys(record).sort();
  if (names.length === 0) throw unexpected(`${file}:`, record, 'a task, or tasks by their names');
  return names.map((name) => {
    const place = `${file}, task ${quoted(name)}`;
    return { task: parseTask(record[name], place, name), place };
  });
}

/** Whether an object is one task, and not many by their names. */
export function isTask(record: object): boolean {
  return 'train' in record || 'test' in record;
}

/**
 * Puts outputs into the tests that lack them.
 *
 * @param tasks of one file
 * @param text `{"<name>": [output of the first test, …], …}`
 * @throws UserError where it does not belong to the tasks, naming the place
 */
export function addSolutions(tasks: readonly PlacedTask[], text: string, file: string): void {
  const solutions = new Map(
    Object.entries(asRecord(parseJsonFile(text, file), `${file}:`, 'outputs by task')),
  );
  for (const { task, place } of tasks) {
    const outputs = solutions.get(task.name);
    if (!solutions.delete(task.name)) continue;
    const at = `${file}: ${quoted(task.name)}`;
    if (!Array.isArray(outputs)) throw unexpected(at, outputs, 'a list of outputs');
    if (outputs.length !== task.test.length) {
      throw new UserError(`${at} has ${outputs.length} outputs, but ${place} has ${task.test.length} tests.`);
    }
    for (const [i, pair] of task.test.entries()) {
      if (pair.output === UNKNOWN) pair.output = parseGrid(outputs[i], `${at}[${i}]`);
    }
  }
  const [other] = solutions.keys();
  if (other !== undefined) {
    throw new UserError(`${file}: ${quoted(other)} is none of the tasks of the challenges beside it.`);
  }
}

/** @throws UserError for what is none */
export function parseJsonFile(text: string, file: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new UserError(`${file}: is not valid JSON (${(cause as Error).message}).`, { cause });
  }
}
