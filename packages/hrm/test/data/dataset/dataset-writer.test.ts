import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  readIdentifiers,
  readSplit,
  writeIdentifiers,
  writeSplit,
} from '../../../src/data/dataset/dataset.node.ts';
import { writeDataset } from '../../../src/data/dataset/dataset-writer.node.ts';
import { Lock } from '../../../src/formats/files/lock.node.ts';
import { tokensOf } from '../fixture.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrm-writer-'));
});
afterEach(() => rm(dir, { recursive: true }));

const FORMAT = { seq_len: 3, vocab_size: 256, pad_id: 0, ignore_label_id: 0 };

it('writes the bytes that the writer of whole splits writes', async () => {
  const folder = join(dir, 'new/rows');
  await writeDataset(`${folder}/`, async (dataset) => {
    const train = await dataset.split('train', FORMAT);
    const row = new Uint8Array(3);
    for (let group = 0; group < 2; group++) {
      for (let puzzle = 0; puzzle <= group; puzzle++) {
        const identifier = await dataset.addIdentifier(`p"${group}${puzzle}`);
        for (let example = 0; example < 2; example++) {
          row.fill(identifier); // the same array each time: it must be copied
          await train.addExample(
            row,
            row.map((token) => token + 1),
          );
        }
        await train.endPuzzle(identifier);
      }
      await train.endGroup();
    }
  });
  const split = await readSplit(folder, 'train');
  expect(split.metadata).toEqual({
    ...FORMAT,
    blank_identifier_id: 0,
    num_puzzle_identifiers: 4,
    total_groups: 2,
    mean_puzzle_examples: 2,
    sets: ['all'],
  });
  const set = split.sets.get('all')!;
  expect([...tokensOf(set.inputs)]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
  expect(tokensOf(set.labels)).toEqual(tokensOf(set.inputs).map((token) => token + 1));
  expect([...set.puzzleIdentifiers]).toEqual([1, 2, 3]);
  expect([...set.puzzleIndices]).toEqual([0, 2, 4, 6]);
  expect([...set.groupIndices]).toEqual([0, 1, 3]);

  await writeSplit(join(dir, 'whole'), 'train', split);
  await writeIdentifiers(join(dir, 'whole'), await readIdentifiers(folder));
  for (const file of [
    'identifiers.json',
    ...(await readdir(join(folder, 'train'))).map((name) => `train/${name}`),
  ]) {
    const [ours, theirs] = await Promise.all(
      [folder, join(dir, 'whole')].map((of) => readFile(join(of, file), 'latin1')),
    );
    expect(ours, file).toBe(theirs);
  }
  expect(await readdir(join(dir, 'new'))).toEqual(['rows']);
});

it('writes more than a chunk, in rows of any length', async () => {
  const [seq_len, rows] = [300_007, 8];
  await writeDataset(join(dir, 'd'), async (dataset) => {
    const split = await dataset.split('test', { ...FORMAT, seq_len });
    const row = new Uint8Array(seq_len);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < seq_len; j++) row[j] = (i * seq_len + j) % 251;
      await split.addExample(row, row);
    }
    await split.endPuzzle(0);
    await split.endGroup();
  });
  const { inputs, labels } = (await readSplit(join(dir, 'd'), 'test')).sets.get('all')!;
  expect(inputs.count).toBe(rows);
  for (const rows of [inputs, labels]) {
    expect(tokensOf(rows).every((token, i) => token === i % 251)).toBe(true);
  }
  expect(await readIdentifiers(join(dir, 'd'))).toEqual(['<blank>']);
});

it('leaves nothing behind when building fails', async () => {
  const failure = new Error('on purpose');
  const build = writeDataset(join(dir, 'd'), async (dataset) => {
    const split = await dataset.split('train', FORMAT);
    await split.addExample(new Uint8Array(3), new Uint8Array(3));
    throw failure;
  });
  await expect(build).rejects.toBe(failure);
  expect(await readdir(dir)).toEqual([]);
});

it('stops at a write after the signal, and before the dataset gets its name', async () => {
  for (const examples of [0, 400_000]) {
    const stop = new AbortController();
    const build = async () => {
      await writeDataset(
        join(dir, 'd'),
        async (dataset) => {
          const split = await dataset.split('train', FORMAT);
          stop.abort();
          for (let i = 0; i < examples; i++) await split.addExample(new Uint8Array(3), new Uint8Array(3));
          if (examples > 0) throw new Error('was not stopped');
        },
        stop.signal,
      );
    };
    const error = await build().catch((reason) => reason);
    expect(error).toBe(stop.signal.reason);
    expect(await readdir(dir)).toEqual([]);
  }
});

it('refuses a folder that exists, rows of another length and groups without puzzles', async () => {
  await mkdir(join(dir, 'd'));
  const refused = await writeDataset(join(dir, 'd'), async () => {}).catch((error) => error);
  expect(refused).toBeInstanceOf(UserError);
  expect(refused.message).toMatch(/\/d: exists already/);
  const short = writeDataset(join(dir, 'e'), async (dataset) => {
    await (await dataset.split('train', FORMAT)).addExample(new Uint8Array(3), new Uint8Array(2));
  });
  await expect(short).rejects.toThrow('an example of 3 and 2 tokens, not 3');
  const empty = writeDataset(join(dir, 'e'), async (dataset) => {
    await (await dataset.split('train', FORMAT)).endGroup();
  });
  await expect(empty).rejects.toThrow('a group without puzzles');
  expect(await readdir(dir)).toEqual(['d']);
});

it('removes what a killed process left of the same dataset, and nothing of one that still builds', async () => {
  const target = join(dir, 'data');
  const holder = (change: object) =>
    JSON.stringify({ pid: process.pid, host: hostname(), space: '', born: '', start: 'then', ...change });
  const left = async (name: string, lock: string) => {
    await mkdir(join(dir, name));
    await writeFile(join(dir, name, '.lock'), lock);
  };
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  // A lock of this process, of one that has ended, and of the same number on another machine.
  const live = Lock.take(join(dir, 'live'), 'it');
  const own = JSON.parse(await readFile(live.path, 'utf8'));
  live.release();
  await left('data.unfinished-00000001', JSON.stringify(own));
  await left('data.unfinished-00000002', JSON.stringify({ ...own, pid }));
  await left('data.unfinished-00000003', holder({ host: 'elsewhere', pid }));
  await left('other.unfinished-00000004', JSON.stringify({ ...own, pid }));
  await mkdir(join(dir, 'data.unfinished-00000005')); // just begun, for all we know
  await writeDataset(target, async (dataset) => {
    const train = await dataset.split('train', FORMAT);
    await train.addExample(new Uint8Array(3), new Uint8Array(3));
    await train.endPuzzle(0);
    await train.endGroup();
  });
  expect((await readdir(dir)).sort()).toEqual([
    'data',
    'data.unfinished-00000001',
    'data.unfinished-00000003',
    'data.unfinished-00000005',
    'other.unfinished-00000004',
  ]);
  expect(await readdir(target)).toEqual(expect.not.arrayContaining(['.lock']));
});
