import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDevice, UserError } from '@hrm-webgpu/core';
import { loadModelFile, RUN_FILES } from '../checkpoints/model-file.node.ts';
import { readSplit, writeIdentifiers, writeSplit } from '../data/dataset/dataset.node.ts';
import type { TokenRows } from '../data/dataset/token-rows.ts';
import { sudokuGrid, sudokuShape } from '../data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../data/sudoku/sudoku-dataset.ts';
import { sudokuPuzzle } from '../puzzles/parse-puzzle.ts';
import { HRM } from '../solving/hrm.ts';
import { PRESETS } from '../training/presets.ts';
import { type Command, parse, wholeNumber } from './command.ts';
import { solveAndShow } from './solve/solve.ts';
import { bold, duration, percent, print, say } from './terminal.ts';
import { evaluateWithBar } from './train/loop/run.ts';
import { startRun } from './train/start-run.ts';

const RECIPE = PRESETS['demo-4x4'];

const STEPS = 1500;
const EVAL_EVERY = 250;
const SHAPE = sudokuShape(4);
const HELD_OUT = 512;

export const demo: Command = {
  summary: 'train on 4×4 Sudoku from scratch, evaluate, solve a puzzle',
  help: `usage: hrm demo [--out DIR] [--steps N] [--seed N]

Makes a 4×4 Sudoku dataset (4 to 8 blanks; no two puzzles equal up to relabelling), trains a small HRM from scratch,
keeps the weights that do best on a validation split, evaluates them once on ${HELD_OUT} held-out puzzles and solves one in
the terminal.

  --out DIR   the run's folder; default runs/demo-4x4 (made anew)
  --steps N   length of the training; default ${STEPS}
  --seed N    seed of weights and batches; default 0`,

  async run(args) {
    const { values, positionals } = parse(args, {
      out: { type: 'string', default: join('runs', 'demo-4x4') },
      steps: { type: 'string' },
      seed: { type: 'string' },
    });
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    const steps = wholeNumber('steps', values.steps) ?? STEPS;
    const seed = wholeNumber('seed', values.seed, 0) ?? 0;
    const data = await makeData(values.out, steps);
    const config = { ...RECIPE, train: { ...RECIPE.train, seed } };
    const { interrupted, seconds } = await startRun({
      data,
      out: values.out,
      config,
      steps,
      evalSplit: 'validation',
      evalEvery: EVAL_EVERY,
      augment: 'sudoku-digits',
    });
    if (interrupted) {
      print(`stopped and saved; go on with: npm run hrm -- train --out ${values.out} --resume`);
      return interrupted;
    }
    return showResult(values.out, data, seconds);
  },
};

/** Writes the three splits; every training example is used once. */
async function makeData(out: string, steps: number): Promise<string> {
  const data = join(out, 'data');
  clearRun(out, data);
  say('making 4×4 Sudoku puzzles…');
  const splits = buildSudokuSplits({
    shape: SHAPE,
    minBlanks: 4,
    maxBlanks: 8,
    train: Math.min(steps, 5000) * RECIPE.train.global_batch_size,
    validation: HELD_OUT,
    test: HELD_OUT,
    seed: 0,
  });
  // First of all files: it tells a demo's folder, half made or whole, from any other.
  await writeIdentifiers(data, ['<blank>']);
  for (const [name, split] of Object.entries(splits)) await writeSplit(data, name, split);
  return data;
}

/** Removes the files of an earlier demo; leaves a folder alone that is something else. */
function clearRun(out: string, data: string): void {
  if (!existsSync(out) || readdirSync(out).length === 0) return;
  if (!existsSync(join(data, 'identifiers.json'))) {
    throw new UserError(
      `${out} exists and is not the folder of an earlier demo; give another one with --out`,
    );
  }
  for (const path of [data, ...Object.values(RUN_FILES).map((name) => join(out, name))]) {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Evaluates the best weights on the test split, once, and solves its first hardest puzzle. */
async function showResult(out: string, data: string, seconds: number): Promise<number> {
  const test = await readSplit(data, 'test');
  const device = await openDevice();
  try {
    const model = await loadModelFile(device, out);
    const { exact, count } = await evaluateWithBar(model, test, 'held-out');
    print();
    print(bold('one held-out puzzle, segment by segment'));
    const { inputs } = [...test.sets.values()][0];
    await solveAndShow(HRM.of(model), sudokuPuzzle(hardest(inputs).join('')));
    print();
    print(`trained for ${duration(seconds)}; checkpoint in ${out}`);
    print(`held-out exact accuracy ${percent(exact / count)} (${exact}/${count})`);
    return 0;
  } finally {
    test.close();
    device.close();
  }
}

/** The first puzzle with the most blanks, as digits. */
function hardest(inputs: TokenRows): Uint8Array {
  const grids = Array.from({ length: inputs.count }, (_, row) => sudokuGrid(inputs.read(row)));
  const blanks = (grid: Uint8Array) => grid.filter((digit) => digit === 0).length;
  return grids.reduce((best, grid) => (blanks(grid) > blanks(best) ? grid : best));
}
