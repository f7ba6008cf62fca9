import type { Task, TokenSizes } from '../tasks/tasks.ts';
import type { GuessingOptions } from './guessing.ts';
import type { Guessing } from './think.ts';

/**
 * How puzzles of a task are guessed at, for `evaluate` and `answers`; its `checker` judges answers. What several guesses need
 * is loaded here, so that a page without them does not carry it.
 *
 * @param checkpoints how many there are
 * @throws UserError for rules that do not apply, unknown symmetries, numbers out of their range, and more guesses than there are
 */
export async function loadGuessing(
  task: Task,
  sizes: TokenSizes,
  options: GuessingOptions,
  checkpoints = 1,
): Promise<Guessing> {
  const { guessingOf } = await import('./guessing.ts');
  return guessingOf(task, sizes, options, checkpoints);
}
