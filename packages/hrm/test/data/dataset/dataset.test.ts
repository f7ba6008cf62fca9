import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  readIdentifiers,
  readSplit,
  writeIdentifiers,
  writeSplit,
} from '../../../src/data/dataset/dataset.node.ts';
import {
  type DatasetSet,
  decodeSplit,
  encodeSplit,
  type Split,
  validateSplit,
} from '../../../src/data/dataset/dataset.ts';
import { parseMetadata } from '../../../src/data/dataset/dataset-metadata.ts';
import { encodeNpy, encodeNpyHeader, type IntegerArray, parseNpy } from '../../../src/data/dataset/npy.ts';
import { TrainSampler, testBatches } from '../../../src/data/dataset/sampler.ts';
import { tokenRows } from '../../../src/data/dataset/token-rows.ts';
import { makeSet, makeSplit, rowsOf, tokensOf } from '../fixture.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrm-dataset-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

const split = () => makeSplit([[2, 1], [3]]);

/** Expects a UserError with this message. */
async function expectError(promise: Promise<unknown>, message: RegExp) {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
}

/** Everything that a split holds, wherever it lies. */
const contents = ({ metadata, sets }: Split) => ({
  metadata,
  sets: [...sets].map(([name, set]) => [
    name,
    { ...set, inputs: rowsOf(set.inputs), labels: rowsOf(set.labels) },
  ]),
});

/** `count` examples of two tokens, in one puzzle. */
function largeSplit(count: number): Split {
  const large = makeSplit([[1]]);
  Object.assign(large.metadata, { vocab_size: 11, ignore_label_id: null, mean_puzzle_examples: count });
  const set = large.sets.get('all')!;
  set.inputs = tokenRows(new Uint8Array(2 * count).fill(10), 2);
  set.labels = tokenRows(new Uint8Array(2 * count), 2);
  set.puzzleIndices[1] = count;
  return large;
}

/** As NumPy saves integers by default. */
function encodeInt64(data: IntegerArray, shape: number[]): Uint8Array {
  const header = encodeNpyHeader('<i8', shape);
  const bytes = new Uint8Array(header.length + 8 * data.length);
  bytes.set(header);
  bytes.set(new Uint8Array(BigInt64Array.from(data, BigInt).buffer), header.length);
  return bytes;
}

describe('folders', () => {
  it('reads back what it wrote', async () => {
    const written = split();
    Object.assign(written.metadata, { sets: ['all', 'easy'], total_groups: 3, mean_puzzle_examples: 7 / 4 });
    written.sets.set('easy', makeSet([[1]]));
    await writeSplit(dir, 'train', written);
    await writeIdentifiers(dir, ['<blank>', 'a']);
    const read = await readSplit(dir, 'train');
    expect(contents(read)).toEqual(contents(written));
    read.close();
    expect(await readIdentifiers(dir)).toEqual(['<blank>', 'a']);
    expect((await readdir(dir)).sort()).toEqual(['identifiers.json', 'train']);
  });

  it('writes the published files: uint8 tokens, int32 offsets, published keys', async () => {
    const wide = split();
    const set = wide.sets.get('all')!;
    set.inputs = tokenRows(Int32Array.from(tokensOf(set.inputs)), 2);
    await writeSplit(dir, 'test', wide);
    const header = async (file: string) => {
      const { dtype, shape } = parseNpy(new Uint8Array(await readFile(join(dir, 'test', file))), file);
      return [dtype, ...shape];
    };
    expect(await header('all__inputs.npy')).toEqual(['uint8', 6, 2]);
    expect(await header('all__labels.npy')).toEqual(['uint8', 6, 2]);
    expect(await header('all__puzzle_identifiers.npy')).toEqual(['int32', 3]);
    expect(await header('all__puzzle_indices.npy')).toEqual(['int32', 4]);
    expect(await header('all__group_indices.npy')).toEqual(['int32', 3]);
    expect(JSON.parse(await readFile(join(dir, 'test/dataset.json'), 'utf8'))).toEqual(wide.metadata);
  });

  it('reads any integer type', async () => {
    await writeSplit(dir, 'train', split());
    const { inputs, labels, puzzleIndices } = split().sets.get('all')!;
    const write = (array: string, data: Uint8Array) => writeFile(join(dir, `train/all__${array}.npy`), data);
    await write('inputs', encodeNpy(Int16Array.from(tokensOf(inputs)), [6, 2]));
    const wide = encodeInt64(tokensOf(labels), [6, 2]);
    await write('labels', wide);
    await write('puzzle_indices', encodeNpy(Uint8Array.from(puzzleIndices), [4]));
    const read = await readSplit(dir, 'train');
    const set = read.sets.get('all')!;
    expect(tokensOf(set.inputs)).toEqual(Int16Array.from(tokensOf(inputs)));
    expect(rowsOf(set.labels)).toEqual(rowsOf(labels));
    expect(set.puzzleIndices).toEqual(puzzleIndices);
    read.close();
    wide[wide.length - 1] = 1; // the highest byte of the last label
    await write('labels', wide);
    await expectError(
      readSplit(dir, 'train'),
      /train\/all__labels\.npy, row 5: 72057594037927936 does not fit a 32-bit signed integer/,
    );
  });

  it('does not replace a split', async () => {
    await writeSplit(dir, 'train', split());
    await expectError(writeSplit(dir, 'train', split()), /train: exists already/);
  });

  it('leaves nothing behind when writing fails', async () => {
    const negative = split();
    negative.metadata.ignore_label_id = -100;
    const set = negative.sets.get('all')!;
    set.labels = tokenRows(
      Int32Array.from(tokensOf(set.labels), (label, i) => (i === 9 ? -100 : label)),
      2,
    );
    await expectError(
      writeSplit(dir, 'train', negative),
      /^all__labels.npy, row 4: -100 does not fit a byte/,
    );
    expect(await readdir(dir)).toEqual([]);

    await writeFile(join(dir, 'file'), '');
    await expectError(writeSplit(join(dir, 'file'), 'train', split()), /file\/train: cannot be written/);
    await mkdir(join(dir, 'identifiers.json'));
    await expectError(writeIdentifiers(dir, ['<blank>']), /identifiers\.json: cannot be written/);
    expect((await readdir(dir)).sort()).toEqual(['file', 'identifiers.json']);
  });

  it('draws the same batches from files as from memory', async () => {
    const memory = makeSplit([[2, 1], [3], [4, 4]]);
    await writeSplit(dir, 'train', memory);
    const files = await readSplit(dir, 'train');
    const batches = (split: Split) => {
      const sampler = new TrainSampler(split, { batchSize: 4, evalInterval: 5, seed: 2 });
      return [...Array.from({ length: 9 }, () => sampler.next()), ...testBatches(split, 3)];
    };
    expect(batches(files)).toEqual(batches(memory));
    files.close();
  });

  it('keeps its files open until it is closed, and says so when they become shorter', async () => {
    await writeSplit(dir, 'train', split());
    const { sets, close } = await readSplit(dir, 'train');
    const { inputs, labels } = sets.get('all')!;
    await rm(join(dir, 'train/all__inputs.npy'));
    expect(rowsOf(inputs)).toEqual(rowsOf(split().sets.get('all')!.inputs));
    await truncate(join(dir, 'train/all__labels.npy'), 128 + 9);
    expect([...labels.read(3)]).toEqual([4, 0]);
    expect(() => labels.read(4)).toThrow(UserError);
    expect(() => labels.read(4)).toThrow(/train\/all__labels\.npy: became shorter while in use/);
    expect(() => inputs.read(6)).toThrow(RangeError);
    close();
    close();
    expect(() => inputs.read(0)).toThrow(/all__inputs\.npy: is read after it was closed/);
  });

  it.runIf(existsSync('/proc/self/fd'))('closes its files when it refuses a split', async () => {
    await writeSplit(dir, 'train', split());
    await rm(join(dir, 'train/all__group_indices.npy'));
    await expectError(readSplit(dir, 'train'), /not found/);
    await writeFile(join(dir, 'train/all__labels.npy'), 'no array');
    await expectError(readSplit(dir, 'train'), /labels\.npy: is not a \.npy file/);
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // that of the listing itself
      }
    });
    expect(open.filter((path) => path.startsWith(dir))).toEqual([]);
  });

  it('names the file that is missing, cut short or misshapen', async () => {
    await expectError(readSplit(dir, 'train'), /train\/dataset\.json: not found\. Expected a dataset folder/);
    await writeSplit(dir, 'train', split());
    await rm(join(dir, 'train/all__group_indices.npy'));
    await expectError(readSplit(dir, 'train'), /train\/all__group_indices\.npy: not found/);
    await truncate(join(dir, 'train/all__labels.npy'), 130);
    await expectError(readSplit(dir, 'train'), /train\/all__labels\.npy: holds 2 bytes/);
    await writeFile(join(dir, 'train/all__inputs.npy'), encodeNpy(new Uint8Array(12), [4, 3]));
    await expectError(
      readSplit(dir, 'train'),
      /all__inputs\.npy: has the shape \[4, 3\], expected \[examples, 2\]/,
    );
    await rm(join(dir, 'train/all__inputs.npy'));
    await mkdir(join(dir, 'train/all__inputs.npy'));
    await expectError(readSplit(dir, 'train'), /all__inputs\.npy: cannot be read/);
  });

  it('names a file whose contents are wrong by its whole path', async () => {
    await writeSplit(dir, 'train', split());
    await writeFile(join(dir, 'train/all__group_indices.npy'), encodeNpy(Int32Array.of(0, 2, 4), [3]));
    await expectError(
      readSplit(dir, 'train'),
      new RegExp(`^${dir}/train/all__group_indices.npy, row 2: holds 4`),
    );
    await writeFile(join(dir, 'train/all__group_indices.npy'), encodeNpy(Int32Array.of(0, 2, 3), [1, 3]));
    await expectError(readSplit(dir, 'train'), /has the shape \[1, 3\], expected one dimension/);
  });

  it('names the row of a wrong token, also far into a file', async () => {
    const count = 700_001; // more than a piece
    await writeSplit(dir, 'train', largeSplit(count));
    const path = join(dir, 'train/all__labels.npy');
    const bytes = new Uint8Array(await readFile(path));
    bytes[bytes.length - 3] = 11; // the second token of the last row but one
    await writeFile(path, bytes);
    await expectError(
      readSplit(dir, 'train'),
      new RegExp(
        `train/all__labels.npy, row ${count - 2}: holds 11, expected 0 to 10 \\(vocab_size is 11\\)`,
      ),
    );
  });

  it('lets timers run while it checks a split, and stops when one of them says so', async () => {
    await writeSplit(dir, 'train', largeSplit(20_000_000));
    // Every look at the clock is 60 ms after the last, so that a fast machine pauses at every piece, too.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 60));
    const controller = new AbortController();
    const reason = new Error('on purpose');
    setTimeout(() => controller.abort(reason), 1);
    const stopped = readSplit(dir, 'train', controller.signal);
    expect(await stopped.catch((error) => error)).toBe(reason);
  });

  it('refuses identifiers that are no list of names', async () => {
    await expectError(readIdentifiers(dir), /identifiers\.json: not found/);
    await writeFile(join(dir, 'identifiers.json'), '[1]');
    await expectError(readIdentifiers(dir), /identifiers\.json: expected a list of names/);
    await writeFile(join(dir, 'identifiers.json'), '["<blank>"');
    await expectError(readIdentifiers(dir), /identifiers\.json: is not valid JSON/);
    await writeFile(join(dir, 'identifiers.json'), '["a", "<blank>"]');
    await expectError(
      readIdentifiers(dir),
      /identifiers\.json: holds "a" first, expected "<blank>": a puzzle's/,
    );
    await writeFile(join(dir, 'identifiers.json'), '[]');
    await expectError(readIdentifiers(dir), /identifiers\.json: holds no names, expected "<blank>"/);
  });
});

describe('decodeSplit', () => {
  it('takes splits that are in memory, as encodeSplit gives them', async () => {
    const files = new Map(encodeSplit(split()));
    const read = async (file: string) => files.get(file)!;
    expect(contents(await decodeSplit(read, 'x'))).toEqual(contents(split()));
    files.set('all__labels.npy', encodeNpy(new Uint8Array(12), [12]));
    await expectError(
      decodeSplit(read, 'x'),
      /^x\/all__labels\.npy: has the shape \[12\], expected \[examples, 2\]/,
    );
  });
});

describe('parseMetadata', () => {
  const parse = (json: unknown) => parseMetadata(new TextEncoder().encode(JSON.stringify(json)), 'd.json');
  const { metadata } = split();

  it('takes the published keys and drops others', () => {
    expect(parse({ ...metadata, ignore_label_id: null, extra: 1 })).toEqual({
      ...metadata,
      ignore_label_id: null,
    });
  });

  it.each([
    [{ ...metadata, pad_id: undefined }, /^d\.json: pad_id is missing, expected an integer from 0/],
    [{ ...metadata, pad_id: -1 }, /pad_id is -1/],
    [{ ...metadata, ignore_label_id: 'x' }, /ignore_label_id is "x", expected an integer or null/],
    [{ ...metadata, blank_identifier_id: null }, /blank_identifier_id is null/],
    [{ ...metadata, vocab_size: 0 }, /vocab_size is 0, expected an integer from 1/],
    [{ ...metadata, seq_len: 1.5 }, /seq_len is 1\.5/],
    [{ ...metadata, num_puzzle_identifiers: '1' }, /num_puzzle_identifiers is "1"/],
    [{ ...metadata, total_groups: [] }, /total_groups is \[\]/],
    [{ ...metadata, mean_puzzle_examples: null }, /mean_puzzle_examples is null/],
    [{ ...metadata, sets: 'all' }, /sets is "all"/],
    [{ ...metadata, sets: [] }, /sets is \[\]/],
    [{ ...metadata, sets: ['a', 'a'] }, /different names/],
    [{ ...metadata, sets: ['../../etc/x'] }, /sets is \["\.\.\/\.\.\/etc\/x"\]/],
    [[], /expected an object with pad_id/],
    [null, /expected an object with pad_id/],
  ])('refuses %j', (json, message) => {
    expect(() => parse(json)).toThrow(UserError);
    expect(() => parse(json)).toThrow(message);
  });

  it('refuses bad JSON', () => {
    expect(() => parseMetadata(Uint8Array.of(0x7b), 'd.json')).toThrow(/^d\.json: is not valid JSON/);
  });
});

describe('validateSplit', () => {
  const changed = (change: (set: DatasetSet, split: Split) => void) => {
    const wrong = split();
    change(wrong.sets.get('all')!, wrong);
    return () => validateSplit(wrong);
  };

  it('accepts a whole split, an empty set and an empty puzzle', () => {
    expect(changed(() => {})).not.toThrow();
    expect(() => validateSplit(makeSplit([]))).not.toThrow();
    expect(() => validateSplit(makeSplit([[0, 1]]))).not.toThrow();
    // A rounded mean: 7 / 3.
    const rounded = makeSplit([[2, 1], [4]]);
    rounded.metadata.mean_puzzle_examples = 2.33;
    expect(() => validateSplit(rounded)).not.toThrow();
  });

  it('counts the totals of all sets together', () => {
    const two = split();
    two.metadata.sets.push('more');
    two.sets.set('more', makeSet([[9], [9]]));
    expect(() => validateSplit(two)).toThrow(/total_groups 2, expected 4/);
    Object.assign(two.metadata, { total_groups: 4, mean_puzzle_examples: 24 / 5 });
    expect(() => validateSplit(two)).not.toThrow();
  });

  it('refuses tokens that are no whole rows', () => {
    expect(() => tokenRows(new Uint8Array(11), 2)).toThrow(UserError);
  });

  const wrong: [(set: DatasetSet, split: Split) => void, RegExp][] = [
    [
      (set) => (set.inputs = tokenRows(tokensOf(set.inputs), 3)),
      /^all__inputs\.npy: holds rows of 3 tokens, expected seq_len 2/,
    ],
    [
      (set) => (set.labels = tokenRows(tokensOf(set.labels).subarray(2), 2)),
      /^all__labels\.npy: holds 5 rows, expected 6/,
    ],
    [
      (set) => (set.puzzleIndices = Int32Array.of(0, 6)),
      /^all__puzzle_indices\.npy: holds 2 values, expected 4/,
    ],
    [(set) => (set.puzzleIndices[0] = 1), /^all__puzzle_indices\.npy, row 0: holds 1, expected 0/],
    [(set) => (set.puzzleIndices[2] = 1), /^all__puzzle_indices\.npy, row 2: holds 1, expected at least 2/],
    [
      (set) => (set.puzzleIndices[3] = 5),
      /^all__puzzle_indices\.npy, row 3: holds 5, expected 6, .* examples/,
    ],
    [(set) => (set.groupIndices = new Int32Array(0)), /^all__group_indices\.npy: holds 0 values, expected 1/],
    [(set) => (set.groupIndices[1] = 0), /^all__group_indices\.npy, row 1: holds 0, expected at least 1/],
    [(set) => (set.groupIndices[2] = 4), /^all__group_indices\.npy, row 2: holds 4, expected 3, .* puzzles/],
    [
      (_, { metadata }) => (metadata.vocab_size = 40),
      /^all__inputs\.npy, row 4: holds 41, expected 0 to 39 \(vocab_size/,
    ],
    [
      (set) => (set.labels = tokenRows(Int8Array.from(tokensOf(set.labels)).fill(-1, 8), 2)),
      /^all__labels\.npy, row 4: holds -1, .* or ignore/,
    ],
    [
      (set) => (set.puzzleIdentifiers[1] = 100),
      /^all__puzzle_identifiers\.npy, row 1: holds 100, .*num_puzzle_identifiers/,
    ],
    [
      (_, { metadata }) => (metadata.pad_id = 256),
      /^dataset\.json: holds pad_id 256, expected less than vocab_size 256/,
    ],
    [
      (_, { metadata }) => (metadata.blank_identifier_id = 100),
      /^dataset\.json: holds blank_identifier_id 100/,
    ],
    [(_, { metadata }) => metadata.sets.push('b'), /^dataset\.json: names the set 'b'/],
    [
      (_, { metadata }) => (metadata.total_groups = 30000),
      /^dataset\.json: holds total_groups 30000, expected 2, the number of groups/,
    ],
    [
      (_, { metadata }) => (metadata.mean_puzzle_examples = 1.9),
      /^dataset\.json: holds mean_puzzle_examples 1\.9, expected 2 \(6 examples in 3 puzzles\)/,
    ],
  ];
  it.each(wrong)('%# %s', (change, message) => {
    expect(changed(change)).toThrow(UserError);
    expect(changed(change)).toThrow(message);
  });
});
