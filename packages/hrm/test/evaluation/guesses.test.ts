import { type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModelFile } from '../../src/checkpoints/model-file.node.ts';
import { testBatches } from '../../src/data/dataset/sampler.ts';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../src/data/sudoku/sudoku-dataset.ts';
import { type Answer, type AnswerOptions, answers } from '../../src/evaluation/answers.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { GuessTally } from '../../src/evaluation/guess-tally.ts';
import { type GuessingOptions, guessingOf } from '../../src/guesses/guessing.ts';
import type { Guess } from '../../src/guesses/select.ts';
import { initializeModel } from '../../src/model/init.ts';
import type { HrmModel } from '../../src/model/model.ts';

const fixture = new URL('../../../../test/fixtures/trained-6x6', import.meta.url).pathname;
const SIZES = { seq_len: 36, vocab_size: 8 };
let device: Device;
let model: HrmModel;
beforeAll(async () => {
  device = await openDevice();
  model = await loadModelFile(device, fixture, SIZES.seq_len);
});
afterAll(() => device.close());

/** Puzzles with few givens: harder than what the model was trained on. */
const { test: split } = buildSudokuSplits({
  shape: sudokuShape(6),
  ...{ train: 1, validation: 0, test: 5, seed: 3, minBlanks: 23, maxBlanks: 25 },
});

const guessing = (options: GuessingOptions, checkpoints = 1) =>
  guessingOf('sudoku', SIZES, options, checkpoints);

async function allAnswers(options: AnswerOptions, thinker = model): Promise<Answer[]> {
  const found: Answer[] = [];
  for await (const ready of answers(thinker, testBatches(split, 1), options)) found.push(...ready);
  return found;
}

/** One that answers soon, and nonsense. */
const untrained = () =>
  initializeModel(device, { ...model.config, hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1 }, 1);

/** What must not depend on the batch. */
const told = ({ guesses, selection }: Answer) => [
  selection.guess.number,
  selection.rule,
  ...guesses.map(({ number, tokens, segments, qHalt, changes }) => [
    number,
    tokens.join(),
    segments,
    qHalt,
    changes,
  ]),
];

describe('guesses', () => {
  it.each<[string, GuessingOptions, Partial<AnswerOptions>]>([
    ['by symmetry', { count: 5, all: true }, {}],
    ['by noise', { count: 4, noise: 0.5, symmetries: [], all: true, seed: 9 }, {}],
    [
      'by both, halting early, until one is proven',
      { count: 6, noise: 0.5 },
      { haltEarly: true, maxSteps: 6 },
    ],
    ['until one halts', { count: 6, select: 'halt-first' }, {}],
  ])('%s are the same whatever the batch', async (_, options, more) => {
    const thinker = options.all ? await untrained() : model;
    const [first, ...others] = await Promise.all(
      [1, 2, 5].map((batchSize) => allAnswers({ ...more, guessing: guessing(options), batchSize }, thinker)),
    );
    if (options.all) for (const { guesses } of first) expect(guesses).toHaveLength(options.count);
    for (const found of others) {
      // Beside the chosen one, rounds that end early keep those that happened to be further.
      const compared = (answer: Answer): unknown[] =>
        options.all ? told(answer) : [answer.selection.guess, answer.selection.rule];
      expect(found.map(compared)).toEqual(first.map(compared));
    }
  });

  it('by noise differ from each other, from segment 2 on, and guess 0 has none', async () => {
    const plain = await allAnswers({ batchSize: 5 });
    const of = (maxSteps: number) =>
      allAnswers({
        ...{ batchSize: 5, maxSteps },
        guessing: guessing({ count: 3, noise: 1, symmetries: [], all: true }),
      });
    for (const [i, { guesses }] of (await of(4)).entries()) {
      expect(new Set(guesses.map(({ qHalt }) => qHalt)).size).toBe(3);
      expect(guesses[0]).toMatchObject({ qHalt: plain[i].qHalt, tokens: plain[i].prediction });
    }
    for (const { guesses } of await of(1)) expect(new Set(guesses.map(({ qHalt }) => qHalt)).size).toBe(1);
  });

  it('find more, for little more, and say what they cost', async () => {
    const options = { batchSize: 5, maxSteps: 4 };
    const one = await evaluate(model, split, options);
    expect(one.guesses).toBeUndefined();
    const { guesses, ...rest } = await evaluate(model, split, {
      ...options,
      guessing: guessing({ count: 16 }),
    });
    expect(rest).toEqual(one);
    expect(guesses).toMatchObject({ count: 16, rule: 'auto', single: one.exact_accuracy });
    expect(guesses?.selected).toBeGreaterThan(one.exact_accuracy);
    expect(guesses?.oracle).toBeGreaterThanOrEqual(guesses?.selected as number);
    expect(guesses?.segments).toBeCloseTo(4 * (guesses?.begun as number), 9);
    expect(guesses?.by_count).toBeUndefined();
  });

  it('tell what each number of them is worth where all are made', async () => {
    const { guesses } = await evaluate(model, split, {
      ...{ batchSize: 5, guessing: guessing({ count: 6, all: true }) },
    });
    const counts = guesses?.by_count?.map(({ count }) => count);
    expect(counts).toEqual([1, 2, 4, 6]);
    const [first, ...more] = guesses?.by_count ?? [];
    expect([first.selected, first.oracle, first.selections.vote]).toEqual(Array(3).fill(guesses?.single));
    expect(more[2].oracle).toBe(guesses?.oracle);
    expect(more[2].selections.rules).toBe(more[2].selected);
    expect(guesses?.begun).toBe(6);
    expect(guesses?.segments).toBe(24);
  });

  it('of several checkpoints take turns', async () => {
    const [one, other] = [await untrained(), await initializeModel(device, (await untrained()).config, 2)];
    const found = await allAnswers(
      { batchSize: 3, checkpoints: [other], guessing: guessing({ count: 4, all: true }, 2) },
      one,
    );
    const own = await allAnswers({ batchSize: 3, guessing: guessing({ count: 2, all: true }) }, one);
    for (const [i, { guesses }] of found.entries()) {
      expect(guesses.map(({ checkpoint }) => checkpoint)).toEqual([0, 1, 0, 1]);
      expect(guesses[2].tokens).toEqual(own[i].guesses[1].tokens);
      expect(guesses[1].tokens).not.toEqual(guesses[0].tokens);
    }
  });
});

it('GuessTally counts what is right, and leaves examples without labels out', () => {
  const tally = new GuessTally(3, 'best-q', true);
  const guess = (number: number, token: number, qHalt: number): Guess => ({
    ...{
      number,
      checkpoint: 0,
      symmetry: {},
      tokens: Int32Array.of(token, 7),
      segments: 2,
      qHalt,
      qContinue: 0,
    },
  });
  const add = (guesses: Guess[], chosen: number, label = [5, -100]) =>
    tally.add({
      ...{ input: new Int32Array(2), label: Int32Array.from(label), puzzleIdentifier: 0 },
      ...{ prediction: guesses[0].tokens, qHalt: 0, qContinue: 0, lmLoss: 0, steps: 2, correct: [0] },
      labels: label.filter((token) => token >= 0).length,
      ...{ guesses, selection: { guess: guesses[chosen], rule: 'best-q' }, segments: 6, begun: 3 },
    });
  add([guess(0, 4, 1), guess(1, 5, 2), guess(2, 5, 0)], 1);
  add([guess(0, 4, 3), guess(1, 4, 2), guess(2, 5, 1)], 0);
  add([guess(0, 5, 1), guess(1, 4, 2), guess(2, 4, 0)], 1, [-100, -100]);
  expect(tally.report()).toMatchObject({
    ...{ single: 0, selected: 0.5, oracle: 1, segments: 6, begun: 3, mean: 0.5, decided: { 'best-q': 2 } },
    by_count: [
      { count: 1, selected: 0, oracle: 0 },
      { count: 2, selected: 0.5, oracle: 0.5 },
      { count: 3, selected: 0.5, oracle: 1, selections: { vote: 0.5 } },
    ],
  });
});

describe('what cannot be guessed', () => {
  it.each<[GuessingOptions, RegExp]>([
    [
      { count: 4, select: 'rules' },
      /selection by rules needs a checker, and the task 'none' has none: choose auto, halt-first/,
    ],
    [{ count: 1, symmetries: ['digits'] }, /the task 'none' has no symmetry 'digits'; there is none/],
    [{ count: 2 }, /this task has no symmetries/],
    [{ count: 2, noise: 1, select: 'luck' as 'vote' }, /no selection 'luck', expected auto, rules/],
  ])('%j of a task without rules', (options, message) => {
    const refused = () => guessingOf('none', { seq_len: 12, vocab_size: 3 }, options);
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(message);
  });
});
