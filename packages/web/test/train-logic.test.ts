/** What the view that trains knows without a browser or a GPU. */
import { describe, expect, it } from 'vitest';
import { addPoint, addReport, emptyHistory, lossCurve } from '../src/training/history.ts';
import {
  checkTyped,
  defaultSettings,
  FIELDS,
  typedFrom,
  typedOf,
  typedParams,
} from '../src/training/settings.ts';
import { gridOf, makeTask, sampleRows } from '../src/training/task.ts';
import { aheadOf, inWords, Pace } from '../src/training/time-left.ts';

const DEFAULTS = defaultSettings(false);
const typed = (part: Record<string, string>) => ({ ...typedOf(DEFAULTS), ...part });

describe('settings', () => {
  it('takes the recipe as it stands, for either kind of adapter', () => {
    for (const software of [true, false]) {
      const defaults = defaultSettings(software);
      expect(checkTyped(typedOf(defaults)).settings).toEqual(defaults);
    }
  });

  it.each([
    [{ lr: '0' }, 'lr', 'How large each correction is: 0 is too small; give a number from 0.000001 to 0.1.'],
    [{ lr: '1' }, 'lr', 'How large each correction is: 1 is too large; give a number from 0.000001 to 0.1.'],
    [{ lr: 'fast' }, 'lr', '“fast” is no number'],
    [{ steps: '' }, 'steps', 'How many corrections it makes: give a number from 1 to 20,000.'],
    [{ steps: '1.5' }, 'steps', 'give a whole number from 1 to 20,000, not 1.5.'],
    [{ steps: 'Infinity' }, 'steps', 'give a whole number'],
    [{ batch: '-3' }, 'batch', '-3 is too small'],
    [{ seed: '4294967296' }, 'seed', 'is too large'],
    [{ puzzles: '8' }, 'puzzles', '8 puzzles do not fill one look of 16'],
    [{ minBlanks: '9', maxBlanks: '4' }, 'maxBlanks', 'must not be fewer than the fewest, 9'],
  ])('refuses %j in a sentence', (part, name, sentence) => {
    const { settings, problems } = checkTyped(typed(part as Record<string, string>));
    expect(settings).toBeUndefined();
    expect(Object.keys(problems ?? {})).toEqual([name]);
    expect(problems?.[name as keyof typeof problems]).toContain(sentence);
  });

  it('stands in the address, where it differs from the recipe, as it was typed', () => {
    const asked = typed({ steps: '40', lr: 'x' });
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(typedParams(asked, DEFAULTS)))
      if (value !== undefined) params.set(name, value);
    expect(params.toString()).toBe('steps=40&lr=x');
    expect(typedFrom(params, DEFAULTS)).toEqual(asked);
  });

  it('says of every setting what it is and what it is called elsewhere', () => {
    expect(FIELDS.map(({ name }) => name).sort()).toEqual(Object.keys(DEFAULTS).sort());
    for (const { words, published } of FIELDS) expect(words && published).not.toBe('');
  });
});

describe('the task', () => {
  const settings = { ...DEFAULTS, puzzles: 40, heldOut: 10, steps: 20, lr: 0.003, batch: 4, seed: 7 };

  it('is the recipe with what was chosen, and a warm-up that a short run gets out of', () => {
    const { config, train } = makeTask(settings);
    expect(config).toMatchObject({ hidden_size: 64, seq_len: 16, vocab_size: 6, num_puzzle_identifiers: 1 });
    expect(train).toMatchObject({ lr: 0.003, global_batch_size: 4, seed: 7, lr_warmup_steps: 2 });
    expect(makeTask({ ...settings, steps: 1500 }).train.lr_warmup_steps).toBe(50);
  });

  it('shows held-out puzzles from the fewest blanks to the most', () => {
    const { heldOut } = makeTask(settings);
    const { inputs } = [...heldOut.sets.values()][0];
    const blanks = sampleRows(settings).map(
      (row) =>
        gridOf(inputs.read(row))
          .flat()
          .filter((digit) => digit === 0).length,
    );
    expect(blanks).toEqual([4, 5, 7, 8]);
    expect(sampleRows({ ...settings, heldOut: 2 })).toEqual([0, 1]);
    expect(sampleRows({ ...settings, minBlanks: 6, maxBlanks: 6 })).toEqual([0, 1, 2, 3]);
  });

  it('says so when there are not that many puzzles', () => {
    const narrow = { ...settings, minBlanks: 1, maxBlanks: 1, puzzles: 1000 };
    expect(() => makeTask(narrow)).toThrow('Ask for fewer puzzles or a wider range of blanks.');
  });
});

describe('the history', () => {
  it('is the mean of so many losses that a curve has at most 150 points, the last one too', () => {
    const history = emptyHistory(400);
    for (let step = 1; step <= 8; step++) addReport(history, { step, loss: step, exact: 0, count: 1 });
    expect(lossCurve(history)).toEqual({ x: [3, 6, 8], y: [2, 5, 7.5] });
  });

  it('counts what was solved in training since the last evaluation', () => {
    const history = emptyHistory(10);
    const point = { exact: 0.5, count: 8, cells: 0.9 };
    addPoint(history, { step: 0, ...point }, []);
    addReport(history, { step: 1, loss: 1, exact: 1, count: 4 });
    addReport(history, { step: 2, loss: 1, exact: 2, count: 4 });
    addPoint(history, { step: 2, ...point }, []);
    addReport(history, { step: 3, loss: 1, exact: 4, count: 4 });
    addPoint(history, { step: 3, ...point }, []);
    expect(history.points.map(({ training }) => training)).toEqual([null, 3 / 8, 1]);
  });
});

describe('the time that is left', () => {
  it('is not known before some steps after the first ones have been measured', () => {
    const pace = new Pace();
    pace.steps(1, 9000); // kernels are compiled
    expect(pace.secondsLeft({ steps: 10, evaluations: 0 })).toBeUndefined();
    pace.steps(2, 200);
    expect(pace.secondsLeft({ steps: 10, evaluations: 0 })).toBeUndefined();
    pace.steps(2, 200);
    expect(pace.stepsPerSecond).toBeCloseTo(10);
    pace.evaluation(3000);
    expect(pace.secondsLeft({ steps: 10, evaluations: 2 })).toBeCloseTo(1 + 6);
  });

  it('follows a pace that changes', () => {
    const pace = new Pace();
    for (let i = 0; i < 20; i++) pace.steps(10, 1000);
    for (let i = 0; i < 30; i++) pace.steps(10, 5000);
    expect(pace.stepsPerSecond).toBeCloseTo(2, 1);
  });

  it.each([
    [0, 12, 4, { steps: 12, evaluations: 3 }],
    [4, 12, 5, { steps: 8, evaluations: 3 }], // at 5, 10 and 12
    [11, 12, 5, { steps: 1, evaluations: 1 }],
    [12, 12, 5, { steps: 0, evaluations: 0 }],
  ])('counts the evaluations ahead: step %i of %i, every %i', (step, total, every, ahead) => {
    expect(aheadOf(step, total, every)).toEqual(ahead);
  });

  it.each([
    [3, 'a few seconds'],
    [33, 'about 35 seconds'],
    [58, 'about a minute'],
    [119, 'about 2 minutes'],
    [3500, 'about an hour'],
    [9000, 'about 2.5 hours'],
  ])('says %i seconds as somebody would', (seconds, words) => expect(inWords(seconds)).toBe(words));
});
