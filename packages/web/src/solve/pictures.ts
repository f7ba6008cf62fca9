/** Boards as pictures: a PNG, or a GIF of the whole thought. */
import type { Task } from 'hrm-webgpu';
import { boxOf, lookOf } from '../boards/look.ts';
import type { Frame } from '../engine/api.ts';
import { saveBlob } from '../files/save.ts';

/** On paper: pictures leave the page and its colour scheme. */
const INK = '#1d2329';
const ANSWER = '#146c56';
const PAPER = '#ffffff';
const FINE = '#c9d1d6';

const PAINTS: Record<string, string> = {
  wall: '#3c434b',
  free: '#f4f4ee',
  start: '#7fd0a5',
  goal: '#f0a3a0',
  path: '#ffd98a',
  unknown: '#e9d5ff',
  'colour-0': '#000000',
  'colour-1': '#0074d9',
  'colour-2': '#ff4136',
  'colour-3': '#2ecc40',
  'colour-4': '#ffdc00',
  'colour-5': '#aaaaaa',
  'colour-6': '#f012be',
  'colour-7': '#ff851b',
  'colour-8': '#7fdbff',
  'colour-9': '#870c25',
};

/** Pixels of the longer side. */
const SIZE = 480;

/** A grid on a canvas; cells that were given are bold. */
export function drawBoard(task: Task, grid: number[][], givens: number[][]): HTMLCanvasElement {
  const [rows, columns] = [grid.length, grid[0].length];
  const cell = Math.max(6, Math.floor(SIZE / Math.max(rows, columns)));
  const margin = 8;
  const canvas = document.createElement('canvas');
  canvas.width = columns * cell + 2 * margin;
  canvas.height = rows * cell + 2 * margin;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(margin, margin);
  const look = lookOf(task);
  const box = boxOf(task, rows);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = grid[row][column];
      const [x, y] = [column * cell, row * cell];
      const given = givens[row]?.[column] === value && value !== look.empty;
      const paint = PAINTS[look.paint(value)];
      if (paint) {
        context.fillStyle = paint;
        context.fillRect(x, y, cell, cell);
      }
      context.fillStyle = given || task !== 'sudoku' ? INK : ANSWER;
      context.font = `${given ? 'bold ' : ''}${Math.round(cell * 0.56)}px system-ui, sans-serif`;
      context.fillText(look.text(value), x + cell / 2, y + cell / 2 + cell * 0.04);
    }
  }
  drawLines(context, { rows, columns, cell, box });
  return canvas;
}

interface Ruling {
  rows: number;
  columns: number;
  cell: number;
  box: { rows: number; columns: number } | undefined;
}

function drawLines(context: CanvasRenderingContext2D, { rows, columns, cell, box }: Ruling): void {
  const line = (x0: number, y0: number, x1: number, y1: number, strong: boolean) => {
    context.strokeStyle = strong ? INK : FINE;
    context.lineWidth = strong ? 2 : 1;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  };
  for (const strong of [false, true]) {
    for (let row = 0; row <= rows; row++)
      if ((row % (box?.rows ?? rows) === 0) === strong)
        line(0, row * cell, columns * cell, row * cell, strong);
    for (let column = 0; column <= columns; column++)
      if ((column % (box?.columns ?? columns) === 0) === strong)
        line(column * cell, 0, column * cell, rows * cell, strong);
  }
}

export function saveCanvas(canvas: HTMLCanvasElement, name: string): void {
  canvas.toBlob((blob) => blob && saveBlob(blob, name), 'image/png');
}

/** Of a frame, and of the last one. */
const DELAY_MS = 350;
const REST_MS = 2500;

/** The thought from the puzzle to its end, as a GIF that goes on for ever. */
export async function saveAnimation(
  task: Task,
  frames: readonly Frame[],
  asked: number[][],
  name: string,
): Promise<void> {
  const { GIFEncoder, applyPalette, quantize } = await import('gifenc');
  const gif = GIFEncoder();
  const grids = [asked, ...frames.map(({ grid }) => grid)];
  for (const [i, grid] of grids.entries()) {
    const canvas = drawBoard(task, grid, asked);
    const { width, height } = canvas;
    const { data } = (canvas.getContext('2d') as CanvasRenderingContext2D).getImageData(0, 0, width, height);
    const palette = quantize(data, 64);
    const delay = i === grids.length - 1 ? REST_MS : DELAY_MS;
    gif.writeFrame(applyPalette(data, palette), width, height, { palette, delay });
  }
  gif.finish();
  saveBlob(new Blob([gif.bytes() as Uint8Array<ArrayBuffer>], { type: 'image/gif' }), name);
}
