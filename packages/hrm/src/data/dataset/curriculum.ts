/** Easy examples first: groups are drawn by how much of them is to be found out, widening to all. */

import type { DatasetSet } from './dataset.ts';

/** All groups are drawn from after so many batches; until then a share of the easiest that grows with each. */
export interface Curriculum {
  steps: number;
}

/** How hard the groups of a set are: the cells of the first example that differ in its answer, a Sudoku's blanks. */
export class Difficulty {
  private readonly cells: Uint16Array;
  /** Ascending. */
  private readonly sorted: Uint16Array;

  constructor({ groupIndices, puzzleIndices, inputs, labels }: DatasetSet) {
    this.cells = Uint16Array.from({ length: groupIndices.length - 1 }, (_, group) => {
      const example = puzzleIndices[groupIndices[group]];
      if (example >= inputs.count) return 0;
      const [input, label] = [inputs.read(example).slice(), labels.read(example)];
      let differing = 0;
      for (let i = 0; i < input.length; i++) if (input[i] !== label[i]) differing++;
      return differing;
    });
    this.sorted = this.cells.slice().sort();
  }

  /**
   * Whether a group is drawn for the `batch`-th batch, from 0: it is no harder than the hardest of the easiest share.
   *
   * @param least groups that are drawn from at least
   */
  allows(group: number, batch: number, { steps }: Curriculum, least: number): boolean {
    const { length } = this.sorted;
    const share = Math.max(least, Math.ceil((length * batch) / steps));
    return share >= length || this.cells[group] <= this.sorted[share - 1];
  }
}
