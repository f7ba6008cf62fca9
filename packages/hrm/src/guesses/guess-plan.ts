/** Which guesses are made of a puzzle: the same for every puzzle, whatever the batch. */

import { Philox, UserError } from '@hrm-webgpu/core';
import { composition, countSymmetries, type Symmetry, type SymmetryFamily } from './symmetry.ts';

export interface GuessOptions {
  /** How many guesses of a puzzle at most. */
  count: number;
  /** σ of the noise on z_L before every segment but the first; default 0, none. */
  noise?: number;
  /** Of symmetries and noise; default 0. */
  seed?: number;
}

/** How one guess differs from the puzzle as given, which is guess 0. */
export interface GuessKind {
  number: number;
  /** Which of the checkpoints thinks. */
  checkpoint: number;
  symmetry: Symmetry;
  /** The index in each family, by its name; those that change nothing are left out. */
  by: Readonly<Record<string, number>>;
}

/** Philox stream of symmetries; any number that nothing else takes. */
const SYMMETRY_STREAM = 0x73796d6d;
/** More are a slip of the finger. */
const MOST = 65_536;

/**
 * Guess k is thought by checkpoint k mod C, under the ⌊k / C⌋-th symmetry that is drawn; no two of one checkpoint are under the
 * same one as long as there are others. A smaller number of guesses makes the first of a larger one.
 *
 * @param families of the task; a symmetry takes one of each
 * @param checkpoints C
 * @throws UserError for numbers out of their range, and for more guesses than there are different ones
 */
export function planGuesses(
  { count, noise = 0, seed = 0 }: GuessOptions,
  families: readonly SymmetryFamily[],
  checkpoints = 1,
): GuessKind[] {
  if (!Number.isSafeInteger(count) || count < 1 || count > MOST)
    throw new UserError(`guesses is ${count}, expected a whole number from 1 to ${MOST}`);
  if (!Number.isFinite(noise) || noise < 0)
    throw new UserError(`noise is ${noise}, expected a standard deviation of 0 or more`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new UserError(`seed is ${seed}, expected a whole number from 0`);
  const symmetries = countSymmetries(families);
  if (count > symmetries * checkpoints && noise === 0) throw tooMany(count, families, checkpoints);
  const random = new Philox(seed, SYMMETRY_STREAM);
  const drawn: number[][] = [families.map(() => 0)];
  const known = new Set([drawn[0].join()]);
  const wanted = Math.min(Math.ceil(count / checkpoints), symmetries);
  while (drawn.length < wanted) {
    const indices = families.map((family) => random.below(family.count));
    if (known.has(indices.join())) continue;
    known.add(indices.join());
    drawn.push(indices);
  }
  return Array.from({ length: count }, (_, number) => {
    const indices = drawn[Math.floor(number / checkpoints) % drawn.length];
    return { number, checkpoint: number % checkpoints, ...symmetryOf(families, indices) };
  });
}

function symmetryOf(families: readonly SymmetryFamily[], indices: readonly number[]) {
  const changing = families
    .map((family, i) => ({ family, index: indices[i] }))
    .filter(({ index }) => index > 0);
  return {
    symmetry: composition(changing.map(({ family, index }) => family.at(index))),
    by: Object.fromEntries(changing.map(({ family, index }) => [family.name, index])),
  };
}

function tooMany(count: number, families: readonly SymmetryFamily[], checkpoints: number): UserError {
  const symmetries = countSymmetries(families);
  const parts = families.map((family) => `${family.count} ${family.name}`).join(' × ');
  const times = checkpoints > 1 ? ` of ${checkpoints} checkpoints` : '';
  const are =
    symmetries === 1
      ? `this task has no symmetries: there ${checkpoints > 1 ? `are ${checkpoints} different guesses${times}` : 'is one guess'}`
      : `there are ${symmetries * checkpoints} different ones${times} by symmetry (${parts})`;
  return new UserError(`${count} guesses: ${are}. Ask for fewer, or let noise tell the rest apart.`);
}
