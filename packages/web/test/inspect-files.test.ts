/** Which files are what, and what a dataset's folder holds, without a browser. */
import { buildSudokuSplits, encodeSplit, type Split, sudokuShape } from 'hrm-webgpu';
import { describe, expect, it } from 'vitest';
import { misfit } from '../src/inspect/asked.ts';
import { entriesOf, entriesOfDrop } from '../src/reading/entries.ts';
import { gridOf, groupsFrom, partAt, sizesOf } from '../src/reading/examples.ts';
import { findAmong } from '../src/reading/found.ts';
import { type ReadSync, readFolder } from '../src/reading/read-split.ts';
import { byteSize, counted, figure } from '../src/wording/sizes.ts';

const entry = (path: string) => ({ path, file: new File(['x'], path.slice(path.lastIndexOf('/') + 1)) });
const found = (...paths: string[]) => findAmong(paths.map(entry));

describe('files', () => {
  it('are checkpoints by their names, with the configuration beside them', () => {
    const [first, second, ...rest] = found(
      ...['run/all_config.yaml', 'run/checkpoint', 'run/log.jsonl', 'other/step.safetensors', 'README.md'],
    );
    expect(first).toMatchObject({
      kind: 'checkpoint',
      id: 'run/checkpoint',
      config: { name: 'all_config.yaml' },
    });
    expect(second).toMatchObject({ id: 'other/step.safetensors', config: undefined });
    expect(rest).toEqual([]);
  });

  it('are tried as a checkpoint by any name where there is one alone', () => {
    expect(found('weights')).toMatchObject([{ kind: 'checkpoint', id: 'weights' }]);
    expect(found('weights.xyz', 'all_config.yaml')).toMatchObject([{ config: { name: 'all_config.yaml' } }]);
  });

  it('are the splits of a dataset, train first', () => {
    const splits = found(
      ...['d/identifiers.json', 'd/test/dataset.json', 'd/test/all__inputs.npy', 'd/train/dataset.json'],
    );
    expect(splits.map(({ kind, id }) => `${kind} ${id}`)).toEqual(['split d/train', 'split d/test']);
    expect('files' in splits[1] && [...splits[1].files.keys()]).toEqual(['dataset.json', 'all__inputs.npy']);
  });

  it.each([
    [[], /no files/],
    [['notes.txt'], /^notes\.txt: neither a checkpoint nor a dataset by name, expected /],
    [['a.txt', 'b.txt', 'c.png'], /^a\.txt and 2 more: neither/],
    [
      ['all__inputs.npy'],
      /^all__inputs\.npy: is an array without its dataset\.json, expected the whole folder/,
    ],
  ])('%j are refused in a sentence', (paths, expected) => {
    expect(() => found(...paths)).toThrow(expected);
  });

  it('come from folders that are dropped, however many a browser tells at a time', async () => {
    const file = (path: string) => ({
      ...{ isDirectory: false, name: path, fullPath: `/${path}` },
      file: (done: (file: File) => void) => done(new File(['x'], path)),
    });
    const folder = (path: string, children: unknown[]) => ({
      ...{ isDirectory: true, name: path, fullPath: `/${path}` },
      createReader: () => {
        const waiting = [...children];
        return { readEntries: (done: (some: unknown[]) => void) => done(waiting.splice(0, 2)) };
      },
    });
    const items = [
      { webkitGetAsEntry: () => folder('d', [file('d/a'), file('d/b'), folder('d/e', [file('d/e/c')])]) },
      { webkitGetAsEntry: () => null, getAsFile: () => new File(['x'], 'loose.pt') },
    ];
    const entries = await entriesOfDrop({ items: items as unknown as DataTransferItemList });
    expect(entries.map(({ path }) => path)).toEqual(['d/a', 'd/b', 'd/e/c', 'loose.pt']);
  });

  it('have the paths that a chosen folder gives them', () => {
    const file = Object.defineProperty(new File(['x'], 'a'), 'webkitRelativePath', { value: 'd/a' });
    expect(entriesOf([file, new File(['x'], 'b')]).map(({ path }) => path)).toEqual(['d/a', 'b']);
  });
});

/** Sudokus 4×4, each with copies in its group. */
function sudokus(): Split {
  const counts = { train: 6, validation: 0, test: 0 };
  const { train } = buildSudokuSplits({
    shape: sudokuShape(4),
    minBlanks: 4,
    maxBlanks: 8,
    seed: 1,
    ...counts,
  });
  const set = train.sets.get('all')!;
  // Two groups of three puzzles.
  const metadata = { ...train.metadata, total_groups: 2 };
  return { metadata, sets: new Map([['all', { ...set, groupIndices: Int32Array.of(0, 3, 6) }]]) };
}

describe('a dataset folder', () => {
  const split = sudokus();
  const filesOf = (made: Split) =>
    new Map([...encodeSplit(made)].map(([name, bytes]) => [name, new Blob([bytes])]));
  /** How much is read at a time, and from where. */
  async function open(files: Map<string, Blob>) {
    const bytes = new Map<Blob, Uint8Array<ArrayBuffer>>();
    for (const file of files.values()) bytes.set(file, new Uint8Array(await file.arrayBuffer()));
    const reads: number[] = [];
    const readSync: ReadSync = (file, offset, length) => {
      reads.push(length);
      return bytes.get(file)!.slice(offset, offset + length);
    };
    return { split: await readFolder(files, 'data/train', readSync, () => {}), reads };
  }

  it('is read row by row, and shown by its groups', async () => {
    const { split: opened, reads } = await open(filesOf(split));
    const set = opened.sets.get('all')!;
    expect(sizesOf('all', set)).toEqual({ name: 'all', groups: 2, puzzles: 6, examples: 6 });
    reads.length = 0;
    const groups = groupsFrom(set, opened.metadata, 2, 3);
    expect(reads).toEqual(Array(6).fill(16)); // three inputs and three labels of sixteen bytes
    expect(groups.map(({ group, first, examples, shown }) => [group, first, examples, shown.length])).toEqual(
      [
        [0, 0, 3, 1],
        [1, 3, 3, 2],
      ],
    );
    const [{ shown }] = groups;
    expect(shown[0].number).toBe(2);
    expect(shown[0].label.flat().sort().join('')).toBe('1111222233334444');
    expect(shown[0].input.flat().every((value, i) => value === 0 || value === shown[0].label.flat()[i])).toBe(
      true,
    );
    expect(groupsFrom(set, opened.metadata, 5, 12)[0].shown).toHaveLength(1); // as many as there are
  });

  it.each([
    [
      'is missing',
      (files: Map<string, Blob>) => files.delete('all__labels.npy'),
      /^data\/train\/all__labels\.npy: is missing, expected dataset\.json and five arrays/,
    ],
    [
      'is torn',
      (files: Map<string, Blob>) =>
        files.set('all__inputs.npy', (files.get('all__inputs.npy') as Blob).slice(0, 150)),
      /^data\/train\/all__inputs\.npy: holds 22 bytes of data, but its shape \(6, 16\) of uint8 needs 96/,
    ],
    [
      'holds other tokens',
      (files: Map<string, Blob>) => {
        const file = files.get('all__inputs.npy') as Blob;
        files.set('all__inputs.npy', new Blob([file.slice(0, 128), new Uint8Array(96).fill(9)]));
      },
      /^data\/train\/all__inputs\.npy, row 0: holds 9, expected 0 to 5/,
    ],
    [
      'is no dataset.json',
      (files: Map<string, Blob>) => files.set('dataset.json', new Blob(['{'])),
      /^data\/train\/dataset\.json: is not valid JSON/,
    ],
  ])('that %s is refused in a sentence', async (_, damage, expected) => {
    const files = filesOf(split);
    damage(files);
    await expect(open(files)).rejects.toThrow(expected);
  });
});

describe('what is shown', () => {
  it('is the part that an index lies in, empty parts left out', () => {
    const offsets = Int32Array.of(0, 2, 2, 5);
    expect([0, 1, 2, 4].map((index) => partAt(offsets, index))).toEqual([0, 0, 2, 2]);
  });

  it('is an ARC grid wherever it stands on its canvas, and labels that do not count are padding', () => {
    const metadata = {
      ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0, vocab_size: 12, seq_len: 900 },
      ...{ num_puzzle_identifiers: 1, total_groups: 1, mean_puzzle_examples: 1, sets: ['all'] },
    };
    const tokens = new Uint8Array(900);
    tokens.set([2, 5, 1], 3 * 30 + 4);
    tokens.set([11, 3, 1], 4 * 30 + 4);
    expect(gridOf(metadata, tokens)).toEqual([
      [0, 3],
      [9, 1],
    ]);
    expect(gridOf(metadata, new Uint8Array(900))).toEqual([[-1]]);
  });

  it('is a size and a figure that people read', () => {
    expect([0, 999, 1000, 131_072, 2.11e6, 2.3e9].map(byteSize)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '131 kB',
      '2.1 MB',
      '2.3 GB',
    ]);
    expect([0, 0.5, 1e-4, 2e6, Number.NaN].map(figure)).toEqual([
      '0.0000',
      '0.5000',
      '1.00e-4',
      '2.00e+6',
      '–',
    ]);
    expect([counted(1, 'group'), counted(1200, 'group')]).toEqual(['1 group', '1,200 groups']);
  });

  it('is a puzzle that the model reads, or why it does not', () => {
    const info = { task: 'sudoku', seqLen: 4 } as const;
    const grid = [
      [1, 0],
      [0, 1],
    ];
    expect(misfit(info, { grid, task: 'sudoku' })).toBeUndefined();
    expect(misfit({ ...info, seqLen: 16 }, { grid, task: 'sudoku' })).toMatch(
      /4 cells.*reads \(sudoku, 16 cells\)/,
    );
    expect(misfit(info, { grid, task: 'maze' })).toMatch(/maze, 4 cells/);
  });
});
