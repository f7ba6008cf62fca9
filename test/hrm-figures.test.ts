/** `hrm figures` as people run it, on an untrained model of 4×4 Sudokus. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apart } from '../packages/hrm/src/cli/figures/drawing/lines.ts';
import { loadPlotting } from '../packages/hrm/src/cli/figures/drawing/plotting.ts';
import { encodeNpy } from '../packages/hrm/src/data/dataset/npy.ts';
import { encodeSafetensors } from '../packages/hrm/src/formats/safetensors.ts';
import { initialWeights } from '../packages/hrm/src/model/init.ts';
import { parameterShapes } from '../packages/hrm/src/model/parameters.ts';
import { parseModelConfig } from '../packages/hrm/src/model/parse-config.ts';
import { formatMetadata } from '../packages/hrm/src/training/checkpoint.ts';
import { type HrmResult, hrm } from './run-hrm.ts';
import { writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-figures-'));
afterAll(() => rmSync(folder, { recursive: true }));
const data = join(folder, 'data');
const model = join(folder, 'model.safetensors');
const NAMES = ['residuals', 'participation', 'trajectories', 'answers', 'segments', 'halting', 'guesses'];

beforeAll(async () => {
  await writeSmallDataset(data);
  const config = parseModelConfig(
    {
      ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, H_cycles: 2, L_cycles: 2 },
      ...{ halt_max_steps: 2, puzzle_emb_ndim: 32, vocab_size: 6, seq_len: 16 },
    },
    'test',
  );
  const weights = new Map(initialWeights(config, 5));
  const tensors = new Map(
    [...parameterShapes(config)].map(([key, shape]) => [
      key,
      { dtype: 'F32' as const, shape, data: weights.get(key) as Float32Array },
    ]),
  );
  writeFileSync(model, Buffer.concat(encodeSafetensors(tensors, formatMetadata({ config }))));
});

const figures = (out: string, ...options: string[]) =>
  hrm(['figures', model, '--data', data, '--out', join(folder, out), '--no-tune', ...options]);

/** The rows of a table by its header. */
function readCsv(file: string): Record<string, string>[] {
  const [header, ...rows] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((cells) => {
    expect(cells).toHaveLength(header.length);
    return Object.fromEntries(header.map((name, i) => [name, cells[i]]));
  });
}

/** Fails unless every element of a document is closed where it should be, and no text holds what would end it. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, end, name, _attributes, empty) => {
      if (end) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|#\d+;)/);
}

describe('all figures at once', () => {
  let result: HrmResult;
  const out = join(folder, 'all');
  const table = (name: string) => readCsv(join(out, `${name}.csv`));
  beforeAll(async () => {
    result = await figures('all', '--puzzles', '12', '--sample', '20', '--guesses', '4');
  });

  it('are written, each as SVG and CSV, and listed', () => {
    expect(result).toMatchObject({ code: 0 });
    const files = NAMES.flatMap((name) => [`${name}.svg`, `${name}.csv`]);
    expect(readdirSync(out).sort()).toEqual([...files].sort());
    expect(result.stdout.trim().split('\n')).toEqual(files.map((file) => join(out, file)));
    expect(result.stderr).toContain('7 figures in ');
  });

  it.each(NAMES)('%s is well-formed, has a title, and a dark partner for every colour', (name) => {
    const svg = readFileSync(join(out, `${name}.svg`), 'utf8');
    expectWellFormed(svg);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 860 \d/);
    expect(svg).toMatch(/<title>\w/);
    const [, style] = svg.match(/<style>@media \(prefers-color-scheme:dark\)\{(.*)\}<\/style>/) as string[];
    const body = svg.slice(svg.indexOf('</style>'));
    const colours = new Set([...body.matchAll(/ (?:fill|stroke)="([^"]+)"/g)].map(([, colour]) => colour));
    colours.delete('none');
    expect(colours.size).toBeGreaterThan(3);
    for (const colour of colours) {
      const rule = style.match(new RegExp(`\\[fill="${colour}"\\]\\{fill:(#[0-9a-f]{6})\\}`));
      expect(rule?.[1], colour).not.toBe(colour);
      expect(rule, colour).not.toBeNull();
    }
    expect(body).not.toContain('NaN');
    expect(body).not.toContain('currentColor');
  });

  it('residuals has every step of both modules', () => {
    const rows = table('residuals');
    const steps = (level: string) =>
      rows.filter(({ module }) => module === level).map(({ step }) => Number(step));
    expect(steps('L')).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(steps('H')).toEqual([2, 4, 6, 8]);
    for (const { mean, lower_quartile } of rows) {
      expect(Number(mean)).toBeGreaterThan(0);
      expect(Number(lower_quartile)).toBeGreaterThan(0);
    }
  });

  it('participation has both choices of rows, and the control', () => {
    const rows = table('participation');
    expect(rows.map((one) => [one.model, one.rows, one.puzzles, one.count].join(' '))).toEqual(
      ['trained', 'untrained'].flatMap((which) => [
        // Two H steps and two segments, 16 cells and the puzzle embedding.
        `${which} positions 10 680`,
        `${which} positions 12 816`,
        `${which} grids 10 20`,
        `${which} grids 12 24`,
      ]),
    );
    for (const { z_H, z_L, ratio } of rows) {
      expect(Number(z_H)).toBeGreaterThan(1);
      expect(Number(z_L)).toBeLessThanOrEqual(32);
      expect(Number(ratio)).toBeCloseTo(Number(z_H) / Number(z_L), 12);
    }
  });

  it('trajectories has the points of each puzzle, and what is known at the ends of segments', () => {
    const rows = table('trajectories');
    const examples = new Set(rows.map(({ example }) => example));
    expect(examples.size).toBeGreaterThanOrEqual(1);
    // Twice as many segments as in training.
    expect(rows).toHaveLength(examples.size * (4 * 2 + 4 * 4));
    expect(rows.filter(({ q_halt }) => q_halt !== '')).toHaveLength(examples.size * 2 * 4);
  });

  it('answers has a grid for each fast step', () => {
    const rows = table('answers');
    expect(rows.map(({ segment, step }) => `${segment}.${step}`)).toEqual(
      [1, 2].flatMap((segment) => [1, 2, 3, 4].map((step) => `${segment}.${step}`)),
    );
    for (const { tokens } of rows) expect(tokens).toMatch(/^[0-5]( [0-5]){15}$/);
  });

  it('accuracies are counted after each segment, within each limit, for each number of guesses', () => {
    const segments = table('segments');
    expect(segments.map(({ segment }) => Number(segment))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const halting = table('halting');
    expect(halting.map(({ exact_fixed }) => exact_fixed)).toEqual(
      segments.map(({ exact_accuracy }) => exact_accuracy),
    );
    // q_halt and q_continue of an untrained model are equal: nobody halts.
    expect(halting.map(({ segments_act }) => Number(segments_act))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(halting.map(({ exact_act }) => exact_act)).toEqual(halting.map(({ exact_fixed }) => exact_fixed));
    const guesses = table('guesses');
    expect(guesses.map((one) => Number(one.guesses))).toEqual([1, 2, 4]);
    expect(guesses[0].auto).toBe(segments[1].exact_accuracy);
  });
});

it('one figure alone is the same as among all, and replaces the file that is there', async () => {
  mkdirSync(join(folder, 'one'));
  writeFileSync(join(folder, 'one', 'answers.svg'), 'older');
  const { code, stderr } = await figures('one', 'answers', '--puzzles', '12');
  expect({ code, end: stderr.includes('one figure in ') }).toEqual({ code: 0, end: true });
  expect(readdirSync(join(folder, 'one')).sort()).toEqual(['answers.csv', 'answers.svg']);
  for (const file of ['answers.csv', 'answers.svg']) {
    expect(readFileSync(join(folder, 'one', file))).toEqual(readFileSync(join(folder, 'all', file)));
  }
});

describe('bad input is answered with one sentence', () => {
  const expectRefusal = ({ code, stderr }: HrmResult, sentence: string) => {
    const lines = stderr
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('Warning:'));
    expect({ code, lines }).toEqual({ code: 1, lines: [`error: ${sentence}`] });
  };

  it('a dataset without labels', async () => {
    const bare = join(folder, 'bare');
    cpSync(data, bare, { recursive: true });
    const metadata = JSON.parse(readFileSync(join(bare, 'test', 'dataset.json'), 'utf8'));
    expect(metadata.ignore_label_id).toBe(0);
    writeFileSync(join(bare, 'test', 'all__labels.npy'), encodeNpy(new Uint8Array(40 * 16), [40, 16]));
    const run = (...names: string[]) => {
      const out = join(folder, 'without');
      return hrm(['figures', model, ...names, '--data', bare, '--out', out, '--no-tune', '--puzzles', '4']);
    };
    const others = 'ask for residuals, participation, answers';
    expectRefusal(
      await run(),
      `${join(bare, 'test')} has no labels, which trajectories, segments, halting, guesses count right answers by: ${others}`,
    );
    expectRefusal(
      await run('answers', 'segments'),
      `${join(bare, 'test')} has no labels, which segments count right answers by: ${others}`,
    );
    expect(existsSync(join(folder, 'without'))).toBe(false);
    expect((await run('residuals', 'answers')).code).toBe(0);
  });

  it('no such figure, no place, no number, no symmetry left', async () => {
    const known = 'residuals, participation, trajectories, answers, segments, halting, guesses';
    expectRefusal(await figures('x', 'curves'), `there is no figure 'curves'; there are ${known}`);
    expectRefusal(
      await hrm(['figures', model, '--data', data]),
      'give the folder for the figures with --out DIR',
    );
    expectRefusal(
      await figures('x', '--puzzles', '0'),
      "--puzzles must be a whole number of at least 1, got '0'",
    );
    const { code, stderr } = await figures('x', '--guesses', '60000', '--noise', '0');
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('60000 guesses: there are'),
    });
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it('the library that draws is missing', async () => {
    const missing = Object.assign(new Error("Cannot find package '@observablehq/plot'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    await expect(loadPlotting(() => Promise.reject(missing))).rejects.toThrow(
      'figures are drawn by Observable Plot, which is not here: npm install @observablehq/plot linkedom',
    );
    const broken = new TypeError('broken');
    await expect(loadPlotting(() => Promise.reject(broken))).rejects.toBe(broken);
  });
});

it('names that would touch are moved apart, and no further', () => {
  expect(apart([1, 5, 9], 2)).toEqual([1, 5, 9]);
  expect(apart([5, 5], 2)).toEqual([6, 4]);
  expect(apart([0, 1, 10], 2)).toEqual([-0.5, 1.5, 10]);
  // The third touches only when the first two have moved.
  const moved = apart([0, 0, 1.5], 2);
  expect(moved.map((value) => Math.round(100 * value) / 100).sort((a, b) => a - b)).toEqual([-1.5, 0.5, 2.5]);
});
