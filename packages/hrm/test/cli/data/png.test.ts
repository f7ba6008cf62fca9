import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ShownExample } from '../../../src/cli/data/html.ts';
import { examplesPicture } from '../../../src/cli/data/png.ts';
import { gridKind } from '../../../src/cli/grids/grid-kind.ts';
import { main } from '../../../src/cli/main.ts';
import { writeDataset } from '../../../src/data/dataset/dataset-writer.node.ts';

/** The picture of one example, and what is in its cells. */
function draw(example: Omit<ShownExample, 'title'>, cellWidth: number, cellHeight = cellWidth) {
  const { width, height, pixels } = examplesPicture([{ ...example, title: '' }]);
  const { columns } = example.kind;
  /** The colours of the pixels of a cell, without its edges. */
  const cell = (side: 'input' | 'label', i: number) => {
    const left = 16 + (side === 'label' ? columns * cellWidth + 40 : 0) + (i % columns) * cellWidth;
    const top = 16 + Math.floor(i / columns) * cellHeight;
    const colours: string[] = [];
    for (let y = top + 2; y < top + cellHeight - 2; y++) {
      for (let x = left + 2; x < left + cellWidth - 2; x++) {
        colours.push(pixels.subarray(3 * (y * width + x), 3 * (y * width + x + 1)).join());
      }
    }
    return colours;
  };
  const ink = (side: 'input' | 'label', i: number) => cell(side, i).filter((c) => c === '34,34,34').length;
  return { width, height, cell, ink };
}

describe('examplesPicture', () => {
  it('draws mazes and ARC grids as cells in the colours of the page', () => {
    const expected = { input: [3, 1, 2, 4], label: [3, 1, 5, 4] };
    for (const name of ['maze', 'arc'] as const) {
      const kind = gridKind(name, 4);
      const picture = draw({ kind, ...expected }, 16);
      expect([picture.width, picture.height]).toEqual([16 + 2 * 32 + 40 + 16, 16 + 32 + 16]);
      for (const side of ['input', 'label'] as const) {
        for (const [i, token] of expected[side].entries()) {
          expect(new Set(picture.cell(side, i))).toEqual(new Set([kind.colour!(token).join()]));
        }
      }
    }
  });

  it('draws the digits of a Sudoku, those that were given bold, and blanks empty', () => {
    const kind = gridKind('sudoku', 81);
    const label = Array.from({ length: 81 }, (_, i) => 2 + (i % 9));
    const { ink, cell } = draw({ kind, input: label.map((token, i) => (i < 9 ? token : 1)), label }, 24);
    const shapes = Array.from({ length: 9 }, (_, i) => cell('label', 9 + i).join());
    expect(new Set(shapes).size).toBe(9);
    for (let i = 0; i < 9; i++) {
      expect(cell('input', i)).toEqual(cell('label', i));
      expect(ink('input', i)).toBeGreaterThan(ink('label', 9 + i));
      expect(ink('label', 9 + i)).toBeGreaterThanOrEqual(40);
      expect(ink('input', 9 + i)).toBe(0);
    }
  });

  it('draws numbers of several digits in wider cells', () => {
    const kind = gridKind('none', 2);
    const { width, ink } = draw({ kind, input: [0, 255], label: [7, 1] }, 48, 24);
    expect(width).toBe(16 + 4 * 48 + 40 + 16);
    expect(ink('input', 0)).toBe(0);
    expect(ink('input', 1)).toBeGreaterThan(2 * ink('label', 0));
  });

  it('places examples side by side as long as the page is wide enough, then below', () => {
    const kind = gridKind('maze', 900);
    const small = gridKind('maze', 4);
    const of = (grid: typeof kind): ShownExample => {
      const tokens = new Uint8Array(grid.rows * grid.columns).fill(2);
      return { title: '', kind: grid, input: tokens, label: tokens };
    };
    const size = (...grids: (typeof kind)[]) => {
      const { width, height } = examplesPicture(grids.map(of));
      return [width, height];
    };
    const [width, height] = size(kind);
    expect(size(kind, small)).toEqual([width + 48 + 2 * 32 + 40, height]);
    expect(size(kind, kind, small)).toEqual([width + 48 + 2 * 32 + 40, 2 * height - 32 + 48]);
  });

  it('refuses a picture without examples, and one too large', () => {
    expect(() => examplesPicture([])).toThrow('--png: there is no example to draw');
    const kind = gridKind('maze', 900);
    const example = { title: '', kind, input: new Uint8Array(900), label: new Uint8Array(900) };
    expect(() => examplesPicture(Array(200).fill(example))).toThrow(
      /picture would have 1032×\d+ pixels, more than 67 million. Show fewer examples with --count/,
    );
  });
});

describe('hrm data show --png', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hrm-png-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  let output = '';
  beforeEach(() => {
    output = '';
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        output += text;
        return true;
      });
    }
  });
  afterEach(() => vi.restoreAllMocks());

  it('writes the examples that it shows, or nothing', async () => {
    const data = join(dir, 'd');
    await writeDataset(data, async (dataset) => {
      const format = { seq_len: 16, vocab_size: 6, pad_id: 0, ignore_label_id: 0 };
      const split = await dataset.split('train', format);
      const row = new Uint8Array(16).fill(2);
      for (let i = 0; i < 3; i++) await split.addExample(row, row);
      await split.endPuzzle(0);
      await split.endGroup();
    });
    const png = join(dir, 'examples.png');
    expect(await main(['data', 'show', data, '--count', '2', '--png', png])).toBe(0);
    expect(output).toContain(`wrote ${png}`);
    // Two Sudokus of size 4, side by side.
    const width = readFileSync(png).readUInt32BE(16);
    expect(width).toBe(16 + 2 * (2 * 4 * 24 + 40) + 48 + 16);
    rmSync(png);
    expect(await main(['data', 'show', data, '--count', '0', '--png', png])).toBe(1);
    expect(output).toContain('error: --png: there is no example to draw');
    expect(readdirSync(dir)).toEqual(['d']);
  });
});
