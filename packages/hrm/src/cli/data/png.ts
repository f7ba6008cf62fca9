/** Examples of a dataset as one PNG image: inputs beside their labels, in the colours of the page of data-html.ts. */

import { UserError } from '@hrm-webgpu/core';
import { sudokuShape } from '../../data/sudoku/sudoku.ts';
import { writeFileAtomic } from '../../formats/files/atomic-write.node.ts';
import { encodePng, type Picture } from '../../formats/png.node.ts';
import type { Colour, GridKind } from '../grids/grid-kind.ts';
import type { ShownExample } from './html.ts';

/** Pixels of a cell. */
const CELL = 16;
const TEXT_CELL = 24;
/** Around the picture. */
const MARGIN = 16;
/** Between an input and its label: room for the arrow. */
const GAP = 40;
/** Between examples. */
const SPACE = 48;
/** Examples stand side by side as long as they are not wider together. */
const PAGE_WIDTH = 1280;
/** Of the whole picture: programs that show pictures have their limits. */
const MOST_PIXELS = 2 ** 26;

const PAPER = 255;
const INK: Colour = [34, 34, 34];
/** Lines between cells; those of ARC can be seen on black as well. */
const LINES: Partial<Record<GridKind['name'], Colour>> = {
  sudoku: [204, 204, 204],
  latin: [204, 204, 204],
  none: [204, 204, 204],
  arc: [85, 85, 85],
};

/** The pixels of a character are squares of so many pixels. */
const DOT = 2;
/** Digits of 5×7 pixels, and the arrow, with a column between them; other characters are blank. */
const CHARACTERS = '0123456789→';
const FONT = [
  ' ###    #    ###   ###     #  #####  ###  #####  ###   ###       ',
  '#   #  ##   #   # #   #   ##  #     #         # #   # #   #   #  ',
  '#  ##   #       #     #  # #  ####  #        #  #   # #   #    # ',
  '# # #   #     ##    ##  #  #      # ####    #    ###   #### #####',
  '##  #   #    #        # ##### #   # #   #   #   #   #     #    # ',
  '#   #   #   #     #   #    #  #   # #   #   #   #   # #   #   #  ',
  ' ###   ###  #####  ###     #   ###   ###    #    ###   ###       ',
];
const ADVANCE = 6;

/**
 * Writes examples to an image file.
 *
 * @throws UserError when there are none or too many for a picture, or the file cannot be written
 */
export async function writePng(path: string, examples: readonly ShownExample[]): Promise<void> {
  await writeFileAtomic(path, [encodePng(examplesPicture(examples))]);
}

/** @throws UserError when there are no examples, or too many */
export function examplesPicture(examples: readonly ShownExample[]): Picture {
  if (examples.length === 0)
    throw new UserError('--png: there is no example to draw. Give a --count above 0.');
  const { placed, width, height } = layOut(examples);
  if (width * height > MOST_PIXELS) {
    throw new UserError(
      `--png: the picture would have ${width}×${height} pixels, more than ${Math.floor(MOST_PIXELS / 1e6)} ` +
        'million. Show fewer examples with --count.',
    );
  }
  const canvas = new Canvas(width, height);
  for (const { kind, input, label, x, y, cell } of placed) {
    const gridWidth = kind.columns * cell.width;
    drawGrid(canvas, [x, y], cell, kind, input, input);
    canvas.text('→', x + gridWidth + GAP / 2, y + (kind.rows * cell.height) / 2, false);
    drawGrid(canvas, [x + gridWidth + GAP, y], cell, kind, label, input);
  }
  return canvas;
}

interface Size {
  width: number;
  height: number;
}

/** Places examples in rows, as words on a page. */
function layOut(examples: readonly ShownExample[]) {
  let [x, y] = [MARGIN, MARGIN];
  let [right, bottom] = [0, 0];
  const placed = examples.map((example) => {
    const { rows, columns } = example.kind;
    const cell = cellSize(example);
    const width = 2 * columns * cell.width + GAP;
    if (x > MARGIN && x + width + MARGIN > PAGE_WIDTH) [x, y] = [MARGIN, bottom + SPACE];
    const place = { ...example, cell, x, y };
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + rows * cell.height);
    x += width + SPACE;
    return place;
  });
  return { placed, width: right + MARGIN, height: bottom + MARGIN };
}

/** Squares, wider where a number needs it. */
function cellSize({ kind, input, label }: ShownExample): Size {
  if (kind.colour) return { width: CELL, height: CELL };
  let longest = 0;
  for (const tokens of [input, label]) {
    for (let i = 0; i < tokens.length; i++) longest = Math.max(longest, kind.text(tokens[i]).length);
  }
  return { width: Math.max(TEXT_CELL, (longest + 1) * ADVANCE * DOT), height: TEXT_CELL };
}

/** @param givens cells that are the same in here stand out */
function drawGrid(
  canvas: Canvas,
  [left, top]: [x: number, y: number],
  { width, height }: Size,
  kind: GridKind,
  tokens: ArrayLike<number>,
  givens: ArrayLike<number>,
): void {
  const { columns, colour } = kind;
  for (let i = 0; i < tokens.length; i++) {
    const x = left + (i % columns) * width;
    const y = top + Math.floor(i / columns) * height;
    if (colour) canvas.fill(x, y, width, height, colour(tokens[i]));
    else canvas.text(kind.text(tokens[i]), x + width / 2, y + height / 2, tokens[i] === givens[i]);
  }
  drawLines(canvas, [left, top], { width, height }, kind);
}

/** The lines between cells; over them those around the grid and between the boxes of a Sudoku. */
function drawLines(
  canvas: Canvas,
  [left, top]: [x: number, y: number],
  { width, height }: Size,
  { name, rows, columns }: GridKind,
): void {
  const lines = (everyRows: number, everyColumns: number, colour: Colour, thickness: number) => {
    for (let row = 0; row <= rows; row += everyRows) {
      canvas.fill(left - 1, top + row * height - 1, columns * width + thickness, thickness, colour);
    }
    for (let column = 0; column <= columns; column += everyColumns) {
      canvas.fill(left + column * width - 1, top - 1, thickness, rows * height + thickness, colour);
    }
  };
  const thin = LINES[name];
  if (thin) lines(1, 1, thin, 1);
  const box = name === 'sudoku' ? sudokuShape(columns) : { boxRows: rows, boxColumns: columns };
  lines(box.boxRows, box.boxColumns, INK, 2);
}

/** A picture to draw on, white at first. */
class Canvas implements Picture {
  readonly pixels: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.pixels = new Uint8Array(3 * width * height).fill(PAPER);
  }

  fill(x: number, y: number, width: number, height: number, [red, green, blue]: Colour): void {
    for (let row = y; row < y + height; row++) {
      const end = 3 * (row * this.width + x + width);
      for (let i = end - 3 * width; i < end; i += 3) {
        this.pixels[i] = red;
        this.pixels[i + 1] = green;
        this.pixels[i + 2] = blue;
      }
    }
  }

  /** Text around a point. */
  text(text: string, centreX: number, centreY: number, bold: boolean): void {
    const left = centreX - ((text.length * ADVANCE - 1) * DOT) / 2;
    const top = Math.floor(centreY - (FONT.length * DOT) / 2);
    for (const [i, character] of [...text].entries()) {
      const column = CHARACTERS.indexOf(character) * ADVANCE;
      if (column < 0) continue;
      for (const [row, dots] of FONT.entries()) {
        for (let dot = 0; dot < ADVANCE - 1; dot++) {
          if (dots[column + dot] !== '#') continue;
          // Bold is a pixel wider.
          this.fill(left + (i * ADVANCE + dot) * DOT, top + row * DOT, DOT + (bold ? 1 : 0), DOT, INK);
        }
      }
    }
  }
}
