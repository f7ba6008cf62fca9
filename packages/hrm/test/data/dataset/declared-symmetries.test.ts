import { expect, it } from 'vitest';
import { parseSymmetries } from '../../../src/data/dataset/declared-symmetries.ts';
import { guessingOf } from '../../../src/guesses/guessing.ts';

const sizes = { cells: 4, renamed: { key: 'values' as const, count: 3 } };

it('are permutations of cells, of values, or of both', () => {
  const both = { name: 'both', cells: [1, 0, 3, 2], values: [0, 2, 1] };
  expect(parseSymmetries([both, { values: [2, 0, 1] }], sizes)).toEqual([
    both,
    { name: '2', values: [2, 0, 1] },
  ]);
});

it.each<[unknown, RegExp]>([
  [{}, /symmetries are no list/],
  [[3], /symmetry 1 is no object/],
  [[{}], /symmetry 1 has neither cells nor values/],
  [
    [{ values: [0, 1, 2] }, { cells: [0, 1, 2] }],
    /symmetry 2: cells are 3 numbers, expected a permutation of the 4 cells, 0 to 3/,
  ],
  [[{ cells: [0, 1, 1, 2] }], /symmetry 1: cells hold 1 twice/],
  [[{ cells: [0, 1, 2, 4] }], /cells hold 4, expected a permutation/],
  [[{ values: [0, 1, '2'] }], /values hold "2"/],
  [[{ values: [0, 1, -1] }], /values hold -1/],
  [[{ values: [0, 1, 2], turn: 1 }], /unknown key 'turn', expected name, cells, values/],
  [[{ values: [0, 1, 2], name: 7 }], /a name that is no text/],
])('%j are refused', (json, message) => {
  expect(parseSymmetries(json, sizes)).toMatch(message);
});

it('make guesses of a task that has no others', () => {
  const declared = [{ name: 'swap', cells: [1, 0], tokens: [0, 2, 1] }];
  const { kinds } = guessingOf('none', { seq_len: 2, vocab_size: 3 }, { count: 2, declared });
  const [, { symmetry, by }] = kinds;
  expect(by).toEqual({ declared: 1 });
  expect(symmetry.apply(Int32Array.of(1, 0))).toEqual(Int32Array.of(0, 2));
  expect(symmetry.undo(Int32Array.of(0, 2))).toEqual(Int32Array.of(1, 0));
  expect(() => guessingOf('none', { seq_len: 2, vocab_size: 3 }, { count: 3, declared })).toThrow(
    /3 guesses: there are 2 different ones by symmetry \(2 declared\)/,
  );
});
