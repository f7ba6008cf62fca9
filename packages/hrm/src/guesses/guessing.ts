/** How a puzzle of a task is guessed at, as users ask for it. */

import { UserError } from '@hrm-webgpu/core';
import { type DeclaredSymmetry, faultOfSymmetries } from '../data/dataset/declared-symmetries.ts';
import { type Checker, checkerOf } from '../tasks/checkers.ts';
import type { Task, TokenSizes } from '../tasks/tasks.ts';
import { companionOf } from './companion.ts';
import { type GuessOptions, planGuesses } from './guess-plan.ts';
import { Rounds } from './rounds.ts';
import { RULES, type Rule } from './select.ts';
import { symmetriesOf } from './task-symmetries.ts';
import type { Guessing } from './think.ts';

export interface GuessingOptions extends GuessOptions {
  /** How one guess is chosen; default `auto`, the first rule that decides. */
  select?: Rule | 'auto';
  /** Names of the task's symmetries that guesses are drawn from; default all of them. */
  symmetries?: readonly string[];
  /** Symmetries that the data declare. */
  declared?: readonly DeclaredSymmetry[];
  /** Makes all guesses of every puzzle, and lets each think to its end: nothing is spared. */
  all?: boolean;
  /** Judges answers in the place of the task's own checker. */
  checker?: Checker;
}

/**
 * @param checkpoints how many there are
 * @throws UserError for rules that do not apply, unknown symmetries, numbers out of their range, and more guesses than there are
 */
export function guessingOf(
  task: Task,
  sizes: TokenSizes,
  options: GuessingOptions,
  checkpoints = 1,
): Guessing {
  const { select: rule = 'auto', symmetries, all = false } = options;
  const checker = options.checker ?? checkerOf(task, sizes);
  if (rule !== 'auto' && !RULES.includes(rule))
    throw new UserError(`there is no selection '${rule}', expected auto, ${RULES.join(', ')}`);
  if (rule === 'rules' && !checker) {
    throw new UserError(
      `selection by rules needs a checker, and the task '${task}' has none: choose auto, ${RULES.slice(1).join(', ')}`,
    );
  }
  const problem = options.declared && faultOfSymmetries(options.declared, sizes);
  if (problem) throw new UserError(`the symmetries that the data declare: ${problem}`);
  const families = symmetriesOf(task, sizes, options.declared);
  const unknown = symmetries?.find((name) => !families.some((family) => family.name === name));
  if (unknown !== undefined) {
    const known = families.length > 0 ? families.map(({ name }) => name).join(', ') : 'none';
    throw new UserError(`the task '${task}' has no symmetry '${unknown}'; there is ${known}`);
  }
  const chosen = families.filter(({ name }) => symmetries?.includes(name) ?? true);
  const kinds = planGuesses(options, chosen, checkpoints);
  const { noise = 0, seed = 0, count } = options;
  const companion = { noise: count > 1 ? noise : 0, seed, changes: count > 1 && (all || rule === 'steady') };
  return {
    ...{ kinds, rule, all },
    course: () => new Rounds(kinds.length, { rule, all, checked: checker !== undefined }),
    checker,
    makeCompanion: companionOf(companion),
    companionKey: JSON.stringify(companion),
  };
}
