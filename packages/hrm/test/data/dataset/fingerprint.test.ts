import { expect, it } from 'vitest';
import type { Split } from '../../../src/data/dataset/dataset.ts';
import { fingerprint } from '../../../src/data/dataset/fingerprint.ts';
import { tokenRows } from '../../../src/data/dataset/token-rows.ts';
import { makeSplit, tokensOf } from '../fixture.ts';

const splits = () => [makeSplit([[2, 1], [3]]), makeSplit([[1], [1]])];
const setOf = (split: Split) => split.sets.get('all')!;

it('is the same for the same contents, in whatever type', async () => {
  const wide = splits();
  for (const split of wide) {
    const set = setOf(split);
    set.inputs = tokenRows(Int32Array.from(tokensOf(set.inputs)), 2);
  }
  expect(await fingerprint(splits())).toMatch(/^[0-9a-f]{16}$/);
  expect(await fingerprint(wide)).toBe(await fingerprint(splits()));
});

it.each<[string, (splits: Split[]) => void]>([
  ['an input', ([split]) => tokensAt(split, 'inputs')],
  ['a label', ([split]) => tokensAt(split, 'labels')],
  ['an input of the evaluation split', ([, split]) => tokensAt(split, 'inputs')],
  ['a puzzle identifier', ([split]) => setOf(split).puzzleIdentifiers[0]++],
  ['where a puzzle begins', ([split]) => setOf(split).puzzleIndices[1]--],
  ['where a group begins', ([split]) => setOf(split).groupIndices[1]--],
  ['the metadata', ([split]) => split.metadata.vocab_size--],
  ['the name of a set', ([split]) => renamed(split)],
  ['the order of the splits', (both) => both.reverse()],
  ['a split that is gone', (both) => both.pop()],
])('tells %s', async (_, change) => {
  const changed = splits();
  change(changed);
  expect(await fingerprint(changed)).not.toBe(await fingerprint(splits()));
});

function tokensAt(split: Split, array: 'inputs' | 'labels'): void {
  const set = setOf(split);
  const tokens = tokensOf(set[array]);
  tokens[tokens.length - 1]++;
  set[array] = tokenRows(tokens, 2);
}

function renamed(split: Split): void {
  split.sets = new Map([['other', setOf(split)]]);
}
