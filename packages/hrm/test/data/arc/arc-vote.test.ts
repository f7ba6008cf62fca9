import { readFileSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { drawGrid, type Grid, UNKNOWN } from '../../../src/data/arc/arc.ts';
import { augmentGrid, parseName } from '../../../src/data/arc/arc-augment.ts';
import { ArcVote } from '../../../src/data/arc/arc-vote.ts';
import { bytesSource } from '../../../src/formats/files/byte-source.ts';
import { openSafetensors } from '../../../src/formats/safetensors.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../../../../test/fixtures/${name}`, import.meta.url));

const NAMES = ['<blank>', 'a', 'a_t1_0213456789', 'a_t6_0321456789', 'b'];

const grid = (rows: number[][]): Grid => ({
  rows: rows.length,
  columns: rows[0].length,
  cells: Uint8Array.from(rows.flat()),
});

const INPUT = grid([[1, 2, 0]]);
const ANSWER = grid([
  [3, 1],
  [0, 2],
]);
const WRONG = grid([
  [3, 1],
  [0, 1],
]);
const OTHER = grid([[7]]);

/** Adds a vote of the puzzle for `prediction`; grids are those of the task itself. */
function add(
  vote: ArcVote,
  puzzleIdentifier: number,
  prediction: Grid,
  { input = INPUT, label = ANSWER, qHalt = 0 } = {},
) {
  const { augmentation } = parseName(NAMES[puzzleIdentifier]);
  const canvas = (of: Grid) => {
    const tokens = new Uint8Array(900);
    drawGrid(augmentation ? augmentGrid(of, augmentation) : of, tokens);
    return tokens;
  };
  vote.add({
    puzzleIdentifier,
    input: canvas(input),
    label: canvas(label),
    prediction: canvas(prediction),
    qHalt,
  });
}

const solved = (vote: ArcVote) => vote.score([1, 2, 3]).solved;

describe('ArcVote', () => {
  it('counts what the published scoring counts', async () => {
    const { identifiers, K, solved, tasks, per_task } = JSON.parse(fixture('arc-vote.json').toString());
    const file = await openSafetensors(bytesSource(fixture('arc-vote.safetensors'), 'arc-vote.safetensors'));
    const ids = await file.readF32('puzzle_identifiers');
    const qHalt = await file.readF32('q_halt_logits');
    const [inputs, labels, preds] = await Promise.all(
      ['inputs', 'labels', 'preds'].map((n) => file.readF32(n)),
    );
    expect([...ids].filter((id) => id === 0)).toHaveLength(3);
    const vote = new ArcVote(identifiers);
    ids.forEach((puzzleIdentifier, row) => {
      const of = (array: Float32Array) => array.subarray(900 * row, 900 * (row + 1));
      vote.add({
        puzzleIdentifier,
        input: of(inputs),
        label: of(labels),
        prediction: of(preds),
        qHalt: qHalt[row],
      });
    });
    const score = vote.score();
    expect(score.ks).toEqual(K);
    expect(score.solved).toEqual(solved);
    expect(score.tasks.size).toBe(tasks);
    expect(Object.fromEntries(score.tasks)).toEqual(per_task);
  });

  it('pools the votes of all augmentations', () => {
    const vote = new ArcVote(NAMES);
    add(vote, 1, WRONG, { qHalt: 9 });
    add(vote, 2, ANSWER, { qHalt: -9 });
    add(vote, 3, ANSWER, { qHalt: -9 });
    expect(solved(vote)).toEqual([1, 1, 1]);
  });

  it('ranks equal votes by the mean of sigmoid(q_halt)', () => {
    const vote = new ArcVote(NAMES);
    add(vote, 1, WRONG, { qHalt: 1 });
    add(vote, 2, OTHER, { qHalt: 2 });
    add(vote, 3, ANSWER, { qHalt: 1.5 });
    expect(solved(vote)).toEqual([0, 1, 1]);
    // The logits' mean would prefer the first, the sigmoids' the second.
    const means = new ArcVote(NAMES);
    for (const qHalt of [30, -1]) add(means, 1, WRONG, { qHalt });
    for (const qHalt of [3, 3]) add(means, 2, ANSWER, { qHalt });
    expect(solved(means)).toEqual([1, 1, 1]);
  });

  it('ranks full ties by first appearance', () => {
    const vote = new ArcVote(NAMES);
    for (const guess of [WRONG, ANSWER]) add(vote, 1, guess, { qHalt: 1 });
    expect(solved(vote)).toEqual([0, 1, 1]);
    const saturated = new ArcVote(NAMES);
    add(saturated, 1, ANSWER, { qHalt: 30 });
    add(saturated, 1, WRONG, { qHalt: 40 });
    expect(solved(saturated)).toEqual([1, 1, 1]);
  });

  it('wants every test input of a task', () => {
    const vote = new ArcVote(NAMES);
    add(vote, 1, ANSWER);
    add(vote, 1, OTHER, { input: OTHER });
    add(vote, 1, ANSWER, { input: OTHER, qHalt: -1 });
    add(vote, 4, ANSWER);
    expect(vote.score([1, 2]).tasks).toEqual(
      new Map([
        ['a', [false, true]],
        ['b', [true, true]],
      ]),
    );
    expect(solved(vote)).toEqual([1, 2, 2]);
  });

  it('leaves padding rows out and refuses unknown identifiers', () => {
    const vote = new ArcVote(NAMES);
    vote.add({ puzzleIdentifier: 0, input: [], label: [], prediction: [], qHalt: 0 });
    expect(vote.score().tasks.size).toBe(0);
    expect(() => vote.add({ puzzleIdentifier: 5, input: [], label: [], prediction: [], qHalt: 0 })).toThrow(
      UserError,
    );
  });

  it('does not score tasks with an answer that is not known, but submits for them', () => {
    const vote = new ArcVote(NAMES);
    for (const id of [1, 2, 3]) add(vote, id, ANSWER);
    add(vote, 4, ANSWER);
    add(vote, 4, OTHER, { input: OTHER, label: UNKNOWN });
    expect(vote.score([1])).toMatchObject({
      ...{ solved: [1], tasks: new Map([['a', [true]]]), unscored: 1, partial: 0 },
    });
    expect(vote.submission().b).toHaveLength(2);
  });

  it('counts tasks that lack votes of some of their copies', () => {
    const vote = new ArcVote(NAMES);
    for (const id of [1, 3]) add(vote, id, ANSWER);
    add(vote, 4, ANSWER);
    expect(vote.score().partial).toBe(1);
    add(vote, 2, ANSWER);
    expect(vote.score().partial).toBe(0);
  });

  it('submits the two best answers of every test input', () => {
    const vote = new ArcVote(NAMES);
    add(vote, 2, OTHER, { qHalt: -1 });
    add(vote, 1, ANSWER);
    add(vote, 3, WRONG, { qHalt: -2 });
    add(vote, 1, OTHER, { input: OTHER });
    const blank = new Uint8Array(900);
    vote.add({ puzzleIdentifier: 4, input: blank, label: blank, prediction: blank, qHalt: 0 });
    expect(vote.submission()).toEqual({
      a: [
        {
          attempt_1: [
            [3, 1],
            [0, 2],
          ],
          attempt_2: [[7]],
        },
        { attempt_1: [[7]], attempt_2: [[7]] },
      ],
      b: [{ attempt_1: [[0]], attempt_2: [[0]] }],
    });
  });
});
