/** Ways to look at a puzzle as another of the same task, undone on its answer. */

/** One such way. Both functions take and give tokens [seq_len], and leave what they are given. */
export interface Symmetry {
  apply(puzzle: Int32Array): Int32Array;
  undo(answer: Int32Array): Int32Array;
}

/** All ways of one kind. */
export interface SymmetryFamily {
  name: string;
  /** How many there are, the one that changes nothing among them. */
  count: number;
  /** The i-th, i = 0 … count − 1; 0 changes nothing. */
  at(index: number): Symmetry;
}

/**
 * Cells that change places, tokens that are renamed, or both: y[i] = tokens[x[cells[i]]].
 *
 * @param cells a permutation of the cells
 * @param tokens a permutation of the tokens
 */
export function rearrangement({
  cells,
  tokens,
}: {
  cells?: ArrayLike<number>;
  tokens?: ArrayLike<number>;
}): Symmetry {
  const original = tokens && inverse(tokens);
  return {
    apply: (puzzle) =>
      puzzle.map((_, i) => {
        const token = puzzle[cells ? cells[i] : i];
        return tokens ? tokens[token] : token;
      }),
    undo(answer) {
      const undone = new Int32Array(answer.length);
      for (let i = 0; i < answer.length; i++) {
        undone[cells ? cells[i] : i] = original ? original[answer[i]] : answer[i];
      }
      return undone;
    },
  };
}

/** How many symmetries there are that take one of each family. */
export function countSymmetries(families: readonly SymmetryFamily[]): number {
  return families.reduce((product, { count }) => product * count, 1);
}

/** One after the other. */
export function composition(symmetries: readonly Symmetry[]): Symmetry {
  return {
    apply: (puzzle) => symmetries.reduce((tokens, { apply }) => apply(tokens), puzzle),
    undo: (answer) => symmetries.reduceRight((tokens, { undo }) => undo(tokens), answer),
  };
}

/** n!; no more than random numbers can be drawn below. */
export function factorial(n: number): number {
  return n <= 1 ? 1 : Math.min(n * factorial(n - 1), 2 ** 32);
}

/** The i-th of all n! permutations of 0 … n − 1 in the order of a dictionary; the 0-th changes nothing. */
export function permutation(n: number, index: number): number[] {
  const left = Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: n }, (_, i) => {
    const block = factorial(n - 1 - i);
    const at = Math.floor(index / block) % (n - i);
    return left.splice(at, 1)[0];
  });
}

function inverse(permuted: ArrayLike<number>): Int32Array {
  const inverted = new Int32Array(permuted.length);
  for (let i = 0; i < permuted.length; i++) inverted[permuted[i]] = i;
  return inverted;
}
