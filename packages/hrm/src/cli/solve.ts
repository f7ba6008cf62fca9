import { openDevice, UserError } from '@hrm-webgpu/core';
import { rulesBroken, type SudokuShape, sudokuGrid, sudokuShape, sudokuTokens } from '../data/sudoku.ts';
import type { HrmModel } from '../model.ts';
import { loadModelFile } from '../model-file.node.ts';
import { think } from '../solve.ts';
import { type Command, parse, wholeNumber } from './command.ts';
import { drawGrid } from './sudoku-view.ts';
import { dim, green, print, red } from './terminal.ts';

export const solve: Command = {
  summary: 'solve one puzzle and show the answer after every segment',
  help: `usage: hrm solve <checkpoint or run folder> <sudoku> [--max-steps N]

Thinks about one Sudoku (16, 36 or 81 characters row by row, '.' or '0' for a blank) and prints the grid after every
segment with q_halt and q_continue. Givens are bold, changes green, cells that break a rule red.
Exit code 2 when the last answer is not a valid solution.

  --max-steps N   segments to think; default the model's halt_max_steps`,

  async run(args) {
    const { values, positionals } = parse(args, { 'max-steps': { type: 'string' } });
    const [path, puzzle, ...rest] = positionals;
    if (path === undefined || puzzle === undefined || rest.length > 0) {
      throw new UserError('expected a checkpoint or run folder, and a Sudoku. See --help.');
    }
    const segments = wholeNumber('max-steps', values['max-steps']);
    const { shape, givens } = parseSudoku(puzzle);
    const device = await openDevice();
    try {
      const model = await loadModelFile(device, path, shape.cells);
      return (await solveAndShow(model, shape, givens, segments)) ? 0 : 2;
    } finally {
      device.close();
    }
  },
};

/** @throws UserError for anything but 16, 36 or 81 digits, dots and zeros */
export function parseSudoku(text: string): { shape: SudokuShape; givens: Uint8Array } {
  const size = Math.sqrt(text.length);
  if (![4, 6, 9].includes(size)) {
    throw new UserError(`a Sudoku has 16, 36 or 81 characters, got ${text.length}: '${text.slice(0, 100)}'`);
  }
  const shape = sudokuShape(size as 4 | 6 | 9);
  const givens = Uint8Array.from(text, (character, i) => {
    const digit = character === '.' ? 0 : Number(character);
    if (Number.isInteger(digit) && digit >= 0 && digit <= size && character.trim() !== '') return digit;
    throw new UserError(
      `character ${i + 1} of the Sudoku is '${character}', expected '.', 0 or a digit up to ${size}`,
    );
  });
  const [broken] = rulesBroken(shape, givens);
  if (broken !== undefined) {
    const [row, column] = [Math.floor(broken / size) + 1, (broken % size) + 1];
    throw new UserError(`the givens break the rules at row ${row}, column ${column}`);
  }
  return { shape, givens };
}

/** Prints the answer after every segment; resolves to whether the last one is a valid solution. */
export async function solveAndShow(
  model: HrmModel,
  shape: SudokuShape,
  givens: Uint8Array,
  segments?: number,
): Promise<boolean> {
  const { vocab_size, seq_len } = model.config;
  if (vocab_size !== shape.size + 2 || seq_len !== shape.cells) {
    throw new UserError(
      `this model reads ${seq_len} tokens of ${vocab_size} kinds; a ${shape.size}×${shape.size} Sudoku has ` +
        `${shape.cells} of ${shape.size + 2}`,
    );
  }
  print('puzzle');
  for (const line of drawGrid(shape, givens, givens)) print(line);
  let previous: Uint8Array = givens;
  for await (const { segment, tokens, q_halt, q_continue } of think(
    model,
    Int32Array.from(sudokuTokens(givens)),
    segments,
  )) {
    const grid = sudokuGrid(tokens);
    const changed = grid.reduce((count, digit, i) => count + (digit !== previous[i] ? 1 : 0), 0);
    print();
    const halting = `q_halt ${q_halt.toFixed(2)}  q_continue ${q_continue.toFixed(2)}`;
    print(
      `segment ${segment}   ${halting}   ${dim(q_halt > q_continue ? 'would halt' : 'would go on')}   ${changed} cells changed`,
    );
    for (const line of drawGrid(shape, grid, givens, segment === 1 ? undefined : previous)) print(line);
    previous = grid;
  }
  const solved = isSolution(shape, previous, givens);
  print();
  print(
    solved
      ? green('solved: every rule holds and every given is kept')
      : red('not solved: the last grid breaks a rule or a given'),
  );
  return solved;
}

function isSolution(shape: SudokuShape, grid: Uint8Array, givens: Uint8Array): boolean {
  const filled = grid.every((digit, i) => digit > 0 && (givens[i] === 0 || givens[i] === digit));
  return filled && rulesBroken(shape, grid).length === 0;
}
