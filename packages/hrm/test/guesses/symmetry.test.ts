import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { planGuesses } from '../../src/guesses/guess-plan.ts';
import { permutation } from '../../src/guesses/symmetry.ts';
import { symmetriesOf } from '../../src/guesses/task-symmetries.ts';
import { checkerOf } from '../../src/tasks/checkers.ts';
import type { Task } from '../../src/tasks/tasks.ts';

const digits = (text: string) => Int32Array.from(text, (character) => Number(character) + 1);
const maze = (text: string) => Int32Array.from(text, (character) => '# SGo'.indexOf(character) + 1);
/** A puzzle of each task and its solution. */
const PUZZLES: [Task, string, Int32Array, Int32Array][] = [
  ['sudoku', '4×4', digits('1004040001030020'), digits('1234341221434321')],
  [
    'sudoku',
    '6×6',
    digits('100400050020001060500001010600005010'),
    digits('123456456123231564564231312645645312'),
  ],
  ['latin', '4×4', digits('1000020030000004'), digits('1342421334212134')],
  ['maze', '4×4', maze('S G #     #     '), maze('SoG #     #     ')],
];
const sizes = (tokens: Int32Array) => ({ seq_len: tokens.length });

/** A grid of colours on the canvas of ARC. */
function canvas(rows: number[][]): Int32Array {
  const tokens = new Int32Array(900);
  rows.forEach((row, r) => {
    row.forEach((colour, c) => {
      tokens[30 * r + c] = colour + 2;
    });
    tokens[30 * r + row.length] = 1;
  });
  tokens.fill(1, 30 * rows.length, 30 * rows.length + rows[0].length);
  return tokens;
}

describe('symmetries', () => {
  it.each([
    ['sudoku', 16, { digits: 24, rows: 8, columns: 8, transpose: 2 }],
    ['sudoku', 36, { digits: 720, rows: 48, columns: 72 }],
    ['sudoku', 81, { digits: 362880, rows: 1296, columns: 1296, transpose: 2 }],
    ['latin', 25, { digits: 120, rows: 120, columns: 120, transpose: 2 }],
    ['maze', 81, { dihedral: 8, ends: 2 }],
    ['arc', 900, { dihedral: 8, colours: 362880 }],
    ['none', 12, {}],
  ] as const)('of %s in %d cells are so many', (task, seq_len, counts) => {
    const families = symmetriesOf(task, { seq_len });
    expect(Object.fromEntries(families.map(({ name, count }) => [name, count]))).toEqual(counts);
  });

  it.each(PUZZLES)(
    'of a %s of %s make other puzzles whose solutions are proven, and are undone',
    (task, _, puzzle, solution) => {
      const checker = checkerOf(task, sizes(puzzle));
      expect(checker?.(puzzle, solution)).toBe(true);
      const random = new Philox(1, 2);
      for (const { name, count, at } of symmetriesOf(task, sizes(puzzle))) {
        expect(at(0).apply(puzzle), name).toEqual(puzzle);
        const seen = new Set<string>();
        for (let i = 0; i < Math.min(count, 100); i++) {
          const { apply, undo } = at(count <= 100 ? i : random.below(count));
          expect(checker?.(apply(puzzle), apply(solution)), name).toBe(true);
          expect(undo(apply(solution)), name).toEqual(solution);
          seen.add(apply(solution).join());
        }
        if (count <= 100 && name !== 'ends') expect(seen.size, name).toBeGreaterThan(1);
      }
    },
  );

  it('of a family are all different', () => {
    const marked = Int32Array.from({ length: 16 }, (_, i) => i);
    for (const { name, count, at } of symmetriesOf('sudoku', { seq_len: 16 })) {
      const tokens = name === 'digits' ? digits('1234341221434321') : marked;
      const all = Array.from({ length: count }, (_, i) => at(i).apply(tokens).join());
      expect(new Set(all).size, name).toBe(count);
    }
  });

  it('of ARC turn the grid where it lies, and rename colours but black', () => {
    const grid = canvas([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const [dihedral, colours] = symmetriesOf('arc', { seq_len: 900 });
    expect(dihedral.at(1).apply(grid)).toEqual(
      canvas([
        [2, 5],
        [1, 4],
        [0, 3],
      ]),
    );
    for (let i = 0; i < 8; i++) expect(dihedral.at(i).undo(dihedral.at(i).apply(grid))).toEqual(grid);
    for (const i of [50_000, 200_000, 362_879]) {
      const renamed = colours.at(i).apply(grid);
      expect(renamed[0]).toBe(2);
      expect(renamed).not.toEqual(grid);
      expect(colours.at(i).undo(renamed)).toEqual(grid);
    }
    // An answer that is no grid stays one.
    expect(dihedral.at(1).undo(new Int32Array(900))).toEqual(new Int32Array(900));
  });

  it('come from permutations in the order of a dictionary', () => {
    expect(Array.from({ length: 6 }, (_, i) => permutation(3, i).join(''))).toEqual([
      ...['012', '021', '102', '120', '201', '210'],
    ]);
  });
});

describe('planGuesses', () => {
  const families = symmetriesOf('maze', { seq_len: 81 });
  it('begins with the puzzle as given, and repeats no symmetry', () => {
    const plan = planGuesses({ count: 16, seed: 5 }, families);
    expect(plan[0]).toMatchObject({ number: 0, checkpoint: 0, by: {} });
    expect(new Set(plan.map(({ by }) => JSON.stringify(by))).size).toBe(16);
  });

  it('makes the first of a larger number of a smaller one, and others of another seed', () => {
    const by = (count: number, seed: number) =>
      planGuesses({ count, seed }, symmetriesOf('sudoku', { seq_len: 81 })).map(({ by }) => by);
    expect(by(32, 7).slice(0, 5)).toEqual(by(5, 7));
    expect(by(5, 7)).not.toEqual(by(5, 8));
  });

  it('gives every checkpoint the puzzle as given first', () => {
    const plan = planGuesses({ count: 7 }, families, 3);
    expect(plan.map(({ checkpoint }) => checkpoint)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(plan.slice(0, 3).map(({ by }) => by)).toEqual([{}, {}, {}]);
    expect(plan[3].by).not.toEqual({});
    expect(plan[3].by).toEqual(plan[4].by);
  });

  it('says how many there are when more are asked for, and lets noise tell the rest apart', () => {
    expect(() => planGuesses({ count: 17 }, families)).toThrow(
      '17 guesses: there are 16 different ones by symmetry (8 dihedral × 2 ends). Ask for fewer, or let noise tell the rest apart.',
    );
    expect(() => planGuesses({ count: 2 }, [])).toThrow(/no symmetries: there is one guess/);
    expect(() => planGuesses({ count: 4 }, [], 3)).toThrow(
      /no symmetries: there are 3 different guesses of 3 checkpoints/,
    );
    const plan = planGuesses({ count: 20, noise: 0.3 }, families);
    expect(plan[16].by).toEqual({});
    expect(plan[17].by).toEqual(plan[1].by);
  });

  it.each([
    [{ count: 0 }, /guesses is 0, expected a whole number from 1/],
    [{ count: 1.5 }, /guesses is 1.5/],
    [{ count: 2, noise: -1 }, /noise is -1, expected a standard deviation of 0 or more/],
    [{ count: 2, noise: Number.NaN }, /noise is NaN/],
    [{ count: 2, seed: -1 }, /seed is -1/],
  ])('refuses %j', (options, message) => {
    expect(() => planGuesses(options, families)).toThrow(message);
  });
});
