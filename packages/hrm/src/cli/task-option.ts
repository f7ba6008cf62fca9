/** `--task`: what the grids of a dataset or checkpoint mean. */
import { UserError } from '@hrm-webgpu/core';
import { TASKS, type Task, type TokenSizes, taskOf, tasksThatFit } from '../tasks/tasks.ts';

export const TASK_NAMES = TASKS.join(', ');

/** A task and how it is known. */
export interface ChosenTask {
  task: Task;
  /** It follows from the sizes alone: neither an option nor a file says it. */
  guessed: boolean;
}

/** @throws UserError for an unknown task */
export function taskNamed(option: string): Task {
  const task = TASKS.find((known) => known === option);
  if (task) return task;
  throw new UserError(`--task ${option}: expected ${TASK_NAMES}`);
}

/**
 * The task by the option, by what the file says, or else by what the sizes suggest.
 *
 * @param option the value of `--task`
 * @param declared what the dataset or checkpoint says
 * @throws UserError for an unknown task and for one that does not fit the sizes
 */
export function chooseTask(
  option: string | undefined,
  declared: Task | undefined,
  sizes: TokenSizes,
): ChosenTask {
  if (option === undefined) return { task: declared ?? taskOf(sizes), guessed: declared === undefined };
  const task = taskNamed(option);
  if (tasksThatFit(sizes).includes(task)) return { task, guessed: false };
  throw new UserError(`--task ${task}: ${sizes.seq_len} tokens of ${sizes.vocab_size} kinds are no ${task}`);
}
