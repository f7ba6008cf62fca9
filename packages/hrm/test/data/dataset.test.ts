import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIdentifiers, readSplit, writeIdentifiers, writeSplit } from '../../src/data/dataset.node.ts';
import { type DatasetSet, parseMetadata, type Split, validateSplit } from '../../src/data/dataset.ts';
import { encodeNpy, parseNpy } from '../../src/data/npy.ts';
import { makeSet, makeSplit } from './fixture.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrm-dataset-'));
});
afterEach(() => rm(dir, { recursive: true }));

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

describe('folders', () => {
  it('reads back what it wrote', async () => {
    const written = split();
    written.metadata.sets = ['all', 'easy'];
    written.sets.set('easy', makeSet([[1]]));
    await writeSplit(dir, 'train', written);
    await writeIdentifiers(dir, ['<blank>', 'a']);
    expect(await readSplit(dir, 'train')).toEqual(written);
    expect(await readIdentifiers(dir)).toEqual(['<blank>', 'a']);
    expect((await readdir(dir)).sort()).toEqual(['identifiers.json', 'train']);
  });

  it('writes the published files: uint8 tokens, int32 offsets, published keys', async () => {
    const wide = split();
    const set = wide.sets.get('all')!;
    set.inputs = Int32Array.from(set.inputs);
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
    const { inputs, puzzleIndices } = split().sets.get('all')!;
    await writeFile(join(dir, 'train/all__inputs.npy'), encodeNpy(Int16Array.from(inputs), [6, 2]));
    await writeFile(
      join(dir, 'train/all__puzzle_indices.npy'),
      encodeNpy(Uint8Array.from(puzzleIndices), [4]),
    );
    const set = (await readSplit(dir, 'train')).sets.get('all')!;
    expect(set.inputs).toEqual(Int16Array.from(inputs));
    expect(set.puzzleIndices).toEqual(puzzleIndices);
  });

  it('does not replace a split', async () => {
    await writeSplit(dir, 'train', split());
    await expectError(writeSplit(dir, 'train', split()), /train: exists already/);
  });

  it('leaves nothing behind when writing fails', async () => {
    const negative = split();
    negative.metadata.ignore_label_id = -100;
    const set = negative.sets.get('all')!;
    set.labels = Int32Array.from(set.labels, (label, i) => (i === 9 ? -100 : label));
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

  it('refuses identifiers that are no list of names', async () => {
    await expectError(readIdentifiers(dir), /identifiers\.json: not found/);
    await writeFile(join(dir, 'identifiers.json'), '[1]');
    await expectError(readIdentifiers(dir), /identifiers\.json: expected a list of names/);
    await writeFile(join(dir, 'identifiers.json'), '["<blank>"');
    await expectError(readIdentifiers(dir), /identifiers\.json: is not valid JSON/);
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
  });

  const wrong: [(set: DatasetSet, split: Split) => void, RegExp][] = [
    [(set) => (set.inputs = set.inputs.slice(1)), /^all__inputs\.npy: holds 11 values, expected 10/],
    [(set) => (set.labels = set.labels.slice(2)), /^all__labels\.npy: holds 10 values, expected 12/],
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
      (set) => (set.labels = Int8Array.from(set.labels).fill(-1, 8)),
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
  ];
  it.each(wrong)('%# %s', (change, message) => {
    expect(changed(change)).toThrow(UserError);
    expect(changed(change)).toThrow(message);
  });
});
