import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { findCheckpoint } from '../../checkpoints/model-file.node.ts';
import { readIdentifiers } from '../../data/dataset/dataset.node.ts';
import { sudokuShape } from '../../data/sudoku/sudoku.ts';
import { fileSource } from '../../formats/files/file-source.node.ts';
import { openTensorFile } from '../../formats/open-checkpoint.ts';
import { quoted } from '../../formats/quote.ts';
import { meantBy, type PuzzleInput } from '../../puzzles/parse-puzzle.ts';
import { prospectOf, verdictOn } from '../../puzzles/verdict.ts';
import { HRM } from '../../solving/hrm.ts';
import type { SolveOptions } from '../../solving/solve-options.ts';
import { encodeGrid, hasDigits, type Task } from '../../tasks/tasks.ts';
import { readMeaning } from '../../training/checkpoint.ts';
import { announcePart } from '../announce-part.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { gridKind } from '../grids/grid-kind.ts';
import { draw } from '../grids/grid-view.ts';
import { drawGrid } from '../grids/sudoku-view.ts';
import { allCheckpoints, GUESS_OPTIONS, guessesAsked, guessHelp, loadChecker } from '../guess-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { DEVICE_HELP, DEVICE_OPTIONS, openTunedDevice } from '../open-device.ts';
import { TASK_NAMES, taskNamed } from '../task-option.ts';
import { dim, green, print, red } from '../terminal.ts';
import { guessLines } from './guesses.ts';
import { readPuzzle } from './input.ts';

export const solve: Command = {
  summary: 'solve one puzzle and show the answer after every segment',
  help: `usage: hrm solve <checkpoint or run folder> <puzzle> [--max-think-steps N] [--no-halt] [--guesses N …]

Thinks about one puzzle and prints the answer after every segment with q_halt and q_continue, until the model halts.
Exit code 2 when the last answer is not valid, where that can be told. Sudokus and mazes without a solution are refused,
and it is said when a Sudoku has more than one. A puzzle is

  a Sudoku        16, 36 or 81 characters row by row, '.', 0, _, x or * for a blank, or a text file with them, also as a
                  grid with strokes between boxes. Givens are bold, changes green, cells that break a rule red
  a maze          a text file: # for a wall, space, one S, one G; as many rows as columns. Valid is a path from S to G
  an ARC task     a JSON file; valid is the output of the test pair, where the file has it
  another grid    a text file of whole numbers with spaces or commas between them, or a JSON array of rows, which mean
                  what the model was trained on
  -               any of them from standard input

  --max-think-steps N  the most segments to think; default the model's halt_max_steps
  --no-halt            think that long in any case, as evaluations do
  --task NAME          what the grids are: ${TASK_NAMES}; default what the file
                       or the checkpoint says
  --test N             which test input of an ARC task, from 1; default 1
  --puzzle NAME        the puzzle embedding that goes with it, by its name in identifiers.json; default the blank one
  --data DIR           the folder of identifiers.json; default the checkpoint's
  --trunk-only         leave out all puzzle embeddings (2.1 of 2.3 GB in published ARC checkpoints) but a blank one of zeros
${guessHelp(21)}
${DEVICE_HELP}`,

  async run(args) {
    const { values, positionals } = parse(args, {
      'max-think-steps': { type: 'string' },
      'no-halt': { type: 'boolean', default: false },
      test: { type: 'string' },
      puzzle: { type: 'string' },
      data: { type: 'string' },
      'trunk-only': { type: 'boolean', default: false },
      task: { type: 'string' },
      ...GUESS_OPTIONS,
      ...DEVICE_OPTIONS,
    });
    const [path, argument, ...rest] = positionals;
    if (path === undefined || argument === undefined || rest.length > 0) {
      throw new UserError('expected a checkpoint or run folder, and a puzzle. See --help.');
    }
    const trunkOnly = values['trunk-only'];
    if (trunkOnly && values.puzzle !== undefined) {
      throw new UserError('--puzzle names a puzzle embedding, and --trunk-only leaves them out');
    }
    const maxSteps = wholeNumber('max-think-steps', values['max-think-steps']);
    const given = await readPuzzle(argument, wholeNumber('test', values.test));
    const puzzleIdentifier =
      values.puzzle && (await identifierOf(values.puzzle, values.data ?? folderOf(path)));
    const paths = allCheckpoints(path, values.checkpoints);
    let declared: Task | undefined;
    for (const one of paths.filter(existsSync)) {
      const file = await openTensorFile(await fileSource(findCheckpoint(one)));
      announcePart(file);
      declared ??= readMeaning(file).task;
      await file.close();
    }
    const puzzle =
      values.task === undefined ? meantBy(declared, given) : { ...given, task: taskNamed(values.task) };
    const guesses = guessesAsked(values, paths.length);
    if (values.seed !== undefined && !guesses) throw new UserError('--seed draws guesses: give --guesses N');
    const device = await openTunedDevice(values);
    try {
      return await untilInterrupted(async (signal) => {
        const { seqLen, task } = puzzle;
        const model = await HRM.load(paths, { device, signal, task, seqLen, trunkOnly });
        const checker = values.check === undefined ? undefined : await loadChecker(values.check, model.task);
        const options = {
          maxSteps,
          halt: !values['no-halt'],
          signal,
          ...(guesses && { ...guesses, guesses: guesses.count, checker }),
          ...(puzzleIdentifier ? { puzzleIdentifier } : {}),
        };
        return (await solveAndShow(model, puzzle, options)) ? 0 : 2;
      });
    } finally {
      device.close();
    }
  },
};

function folderOf(path: string): string {
  return dirname(findCheckpoint(path));
}

/** @throws UserError when the folder's identifiers.json has no such name */
async function identifierOf(name: string, folder: string): Promise<number> {
  const names = await readIdentifiers(folder);
  const identifier = names.indexOf(name);
  if (identifier >= 0) return identifier;
  throw new UserError(
    `--puzzle ${quoted(name)}: not among the ${names.length} names in ${folder}/identifiers.json`,
  );
}

/**
 * Prints the answer after every segment; resolves to false when the last one is known to be wrong.
 *
 * @throws UserError, before anything is printed, for a puzzle that the model cannot read or that has no solution
 */
export async function solveAndShow(
  model: HRM,
  puzzle: PuzzleInput,
  options: SolveOptions = {},
): Promise<boolean> {
  // First: nothing is shown of a puzzle that the model cannot read, or nobody can solve.
  const input = encodeGrid(model.task, model.config, puzzle.grid, 'the puzzle');
  const prospect = prospectOf(model.task, input);
  print(puzzle.title);
  if (prospect) print(prospect);
  for (const line of drawAnswer(model, puzzle, puzzle.grid)) print(line);
  let previous = puzzle.grid;
  const several = (options.guesses ?? 1) > 1;
  const solution = await model.solve(puzzle.grid, {
    ...options,
    onSegment({ guess, segment, grid, qHalt, qContinue }) {
      if (guess > 0) return;
      print();
      const halting = `q_halt ${qHalt.toFixed(2)}  q_continue ${qContinue.toFixed(2)}`;
      const verdict = qHalt > qContinue ? 'halts' : 'goes on';
      print(
        `segment ${segment}   ${halting}   ${dim(verdict)}   ${cellsChanged(previous, grid)} cells changed`,
      );
      for (const line of drawAnswer(model, puzzle, grid, segment === 1 ? undefined : previous)) print(line);
      previous = grid;
    },
  });
  const { grid, tokens, halted, proven } = solution;
  print();
  if (several) {
    for (const line of guessLines(solution)) print(line);
    print();
    for (const line of drawAnswer(model, puzzle, grid, previous)) print(line);
    print();
  }
  if (!halted && !proven) print(dim('the model would think on: see --max-think-steps'));
  const { task } = model;
  const verdict = verdictOn({ task, input, prediction: tokens, answer: grid, expected: puzzle.expected });
  if (verdict) print(verdict.valid ? green(verdict.text) : red(verdict.text));
  return verdict?.valid ?? true;
}

function cellsChanged(before: number[][], after: number[][]): number {
  const rows = Math.max(before.length, after.length);
  let changed = 0;
  for (let row = 0; row < rows; row++) {
    const [a = [], b = []] = [before[row], after[row]];
    for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) changed++;
  }
  return changed;
}

/** A grid as the task has it, as lines of text. */
function drawAnswer(model: HRM, puzzle: PuzzleInput, grid: number[][], previous?: number[][]): string[] {
  if (model.task === 'sudoku') {
    return drawGrid(sudokuShape(grid.length), grid.flat(), puzzle.grid.flat(), previous?.flat());
  }
  if (grid.length === 0) return [dim('(no grid: not even its first cell is a colour)')];
  const kind = gridKind(model.task, model.config.seq_len);
  const offset = model.task === 'arc' ? 2 : hasDigits(model.task) ? 1 : 0;
  const tokens = grid.flat().map((cell) => cell + offset);
  return draw({ ...kind, rows: grid.length, columns: grid[0].length }, tokens, tokens);
}
