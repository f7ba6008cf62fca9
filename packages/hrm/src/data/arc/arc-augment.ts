/**
 * Augmented ARC tasks: the colours renamed, then the grids turned or mirrored. An augmentation is spelled out in
 * the name of the puzzle, `<task>_t<transform>_<ten digits>`, so that scoring can undo it; digit i is the new
 * colour of colour i.
 */

import { Philox } from '@hrm-webgpu/core';
import { DIHEDRAL_INVERSES, DIHEDRALS, dihedralWalk } from '../dihedral.ts';
import { type ArcPair, type ArcTask, COLOURS, type Grid, gridKey } from './arc.ts';

export interface Augmentation {
  /** A dihedral id. */
  transform: number;
  /** [10] */
  colours: Uint8Array;
}

/** Tries for each augmentation that is wanted: of a symmetric task there are few different ones. */
const TRIES = 5;

/** A Philox stream; any number will do that nothing else takes. */
const AUGMENT_STREAM = 0x61726361;

/** The augmented grid. */
export function augmentGrid(grid: Grid, { transform, colours }: Augmentation): Grid {
  const [first, down, right, swap] = dihedralWalk(transform, grid.rows, grid.columns);
  const rows = swap ? grid.columns : grid.rows;
  const columns = swap ? grid.rows : grid.columns;
  const cells = new Uint8Array(rows * columns);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    let from = first + row * down;
    for (let column = 0; column < columns; column++, from += right) cells[to++] = colours[grid.cells[from]];
  }
  return { rows, columns, cells };
}

/** The augmentation that undoes this one. Colours and places do not depend on each other, so their order may stay. */
export function inverse({ transform, colours }: Augmentation): Augmentation {
  const original = new Uint8Array(COLOURS);
  colours.forEach((renamed, colour) => {
    original[renamed] = colour;
  });
  return { transform: DIHEDRAL_INVERSES[transform], colours: original };
}

/** The name of an augmented puzzle. */
export function augmentedName(task: string, { transform, colours }: Augmentation): string {
  return `${task}_t${transform}_${colours.join('')}`;
}

const AUGMENTED = /^(.*)_t([0-7])_([0-9]{10})$/s;

/** The task and the augmentation that a puzzle's name tells; none if it is the task's own name. */
export function parseName(name: string): { task: string; augmentation?: Augmentation } {
  const [, task, transform, digits] = AUGMENTED.exec(name) ?? [];
  if (task === undefined || new Set(digits).size !== COLOURS) return { task: name };
  return {
    task,
    augmentation: { transform: Number(transform), colours: Uint8Array.from(digits, Number) },
  };
}

/** Augments tasks, one after the other, with the random numbers of a seed. */
export class TaskAugmenter {
  private readonly random: Philox;

  constructor(seed: number) {
    this.random = new Philox(seed, AUGMENT_STREAM);
  }

  /**
   * Up to `count` augmented copies of a task, no two of them with the same pairs in whatever order, and none
   * with those of the task. There are fewer if 5 · `count` tries do not give as many.
   */
  *copies(task: ArcTask, count: number): Generator<ArcTask> {
    const known = new Set([contentOf(task)]);
    for (let tries = TRIES * count; tries > 0 && known.size <= count; tries--) {
      const augmentation = this.draw();
      const augmented = (pairs: ArcPair[]) =>
        pairs.map(({ input, output }) => ({
          input: augmentGrid(input, augmentation),
          output: augmentGrid(output, augmentation),
        }));
      const copy = {
        name: augmentedName(task.name, augmentation),
        train: augmented(task.train),
        test: augmented(task.test),
      };
      const content = contentOf(copy);
      if (known.has(content)) continue;
      known.add(content);
      yield copy;
    }
  }

  /** Any transform; any permutation of the colours but black, which stays. */
  private draw(): Augmentation {
    const colours = Uint8Array.from({ length: COLOURS }, (_, colour) => colour);
    const transform = this.random.below(DIHEDRALS);
    this.random.shuffle(colours.subarray(1));
    return { transform, colours };
  }
}

/** What makes two tasks the same: the same pairs, train and test together, in any order. */
function contentOf({ train, test }: ArcTask): string {
  const keys = [...train, ...test].map(({ input, output }) => gridKey(input) + gridKey(output));
  return keys.sort().join('');
}
