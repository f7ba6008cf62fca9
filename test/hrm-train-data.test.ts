/** `hrm train`: splits, configurations and augmentations that do not go together, and those that do. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSplit } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import { tokenRows } from '../packages/hrm/src/data/dataset/token-rows.ts';
import { hrm } from './run-hrm.ts';
import { TINY, writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-train-data-'));
const data = join(folder, 'data');
const fixture = join(import.meta.dirname, 'fixtures', 'trained-6x6', 'all_config.yaml');

/** A split of one example of each puzzle, all ones. */
function writeOnes(
  dir: string,
  name: string,
  { vocab_size = 6, seq_len = 16, num_puzzle_identifiers = 1, count = 1 },
): Promise<void> {
  const tokens = tokenRows(new Int32Array(count * seq_len).fill(1), seq_len);
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i);
  const set = {
    ...{ inputs: tokens, labels: tokens, puzzleIndices: offsets, groupIndices: offsets },
    puzzleIdentifiers: new Int32Array(count).fill(num_puzzle_identifiers - 1),
  };
  const metadata = {
    ...{ pad_id: 0, ignore_label_id: null, blank_identifier_id: 0, sets: ['all'] },
    ...{ vocab_size, seq_len, num_puzzle_identifiers, total_groups: count, mean_puzzle_examples: 1 },
  };
  return writeSplit(dir, name, { metadata, sets: new Map([['all', set]]) });
}

beforeAll(async () => {
  await writeSmallDataset(data);
  await writeOnes(data, 'longer', { seq_len: 36 });
  await writeOnes(data, 'other', { vocab_size: 8, seq_len: 36, num_puzzle_identifiers: 3 });
  await writeOnes(data, 'named', { num_puzzle_identifiers: 3 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const train = (out: string, ...extra: string[]) => [
  ...['train', '--preset', 'demo-4x4', '--data', data, '--out', join(folder, out), '--steps', '2'],
  ...['--no-tune', ...TINY, ...extra],
];

/** Without an adapter, so that whatever is refused is refused before one is asked for. */
const NO_ADAPTER = { env: { VK_DRIVER_FILES: '/nonexistent.json' } };

const FILES = String.raw`data/\w+/dataset\.json does not go with .*data/train/dataset\.json: `;

describe('is refused before a device is opened and anything is written', () => {
  it.each<[string, () => string[], RegExp]>([
    [
      'an evaluation split of another length',
      () => train('x', '--eval-split', 'longer'),
      new RegExp(`${FILES}seq_len is 36 instead of 16\\. Build .* --eval-split NAME`),
    ],
    [
      'an evaluation split of another task',
      () => train('x', '--eval-split', 'other'),
      new RegExp(
        `${FILES}vocab_size is 8 instead of 6, seq_len is 36 instead of 16, ` +
          'num_puzzle_identifiers is 3 instead of at most 1',
      ),
    ],
    [
      'an evaluation split with puzzles that have no row',
      () => train('x', '--eval-split', 'named'),
      new RegExp(`${FILES}num_puzzle_identifiers is 3 instead of at most 1`),
    ],
    [
      'an interval that does not divide the epochs',
      () =>
        train('x', '--set', 'eval_interval=3', '--set', 'epochs=4').filter(
          (arg) => !/^(--steps|2)$/.test(arg),
        ),
      /eval_interval \(3\) must divide epochs \(4\); --set eval_interval=null/,
    ],
  ])('%s', async (_, args, message) => {
    const run = await hrm(args(), NO_ADAPTER);
    expect(run.stderr).toMatch(message);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it.each([
    [12, 900],
    [6, 36],
    [11, 80],
  ])('relabelling digits in tokens of %d kinds, %d an example', async (vocab_size, seq_len) => {
    const dir = mkdtempSync(join(folder, 'augmented-'));
    await writeOnes(dir, 'train', { vocab_size, seq_len, count: 8 });
    const args = train('x', '--data', dir, '--augment', 'sudoku-digits');
    const run = await hrm(args, NO_ADAPTER);
    expect(run.stderr).toContain(
      `${dir}/train/dataset.json has vocab_size ${vocab_size} and seq_len ${seq_len}, which is no Sudoku`,
    );
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it('a run whose evaluation split has been exchanged', async () => {
    const own = join(folder, 'own');
    await writeSmallDataset(own);
    const out = join(folder, 'exchanged');
    expect(await hrm(train('exchanged', '--data', own))).toMatchObject({ code: 0 });
    const before = readFileSync(join(out, 'log.jsonl'), 'utf8');
    rmSync(join(own, 'test'), { recursive: true });
    await writeOnes(own, 'test', { seq_len: 36 });
    const run = await hrm(['train', '--out', out, '--resume'], NO_ADAPTER);
    expect(run.stderr).toMatch(
      /own\/test\/dataset\.json does not go with .*own\/train\/dataset\.json: seq_len/,
    );
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(readFileSync(join(out, 'log.jsonl'), 'utf8')).toBe(before);
  });
});

describe('is taken', () => {
  it('a dataset that has moved, where --data says where to, and no other', async () => {
    const [own, away, other] = ['here', 'there', 'different'].map((name) => join(folder, name));
    await writeSmallDataset(own);
    expect(await hrm(train('moved', '--data', own))).toMatchObject({ code: 0 });
    renameSync(own, away);
    await writeSmallDataset(other);
    const labels = join(other, 'test', 'all__labels.npy');
    const bytes = readFileSync(labels);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(labels, bytes);
    const resume = (...more: string[]) =>
      hrm(['train', '--out', join(folder, 'moved'), '--resume', '--steps', '3', ...more]);
    expect((await resume()).stderr).toMatch(/here.*dataset\.json/s);
    expect((await resume('--data', other)).stderr).toMatch(
      /different is not the dataset that this run was started on: .* --data DIR/,
    );
    expect(await resume('--data', away)).toMatchObject({ code: 0 });
    expect(await resume('--steps', '4')).toMatchObject({ code: 0 }); // it remembers
  });

  it('an evaluation split with more puzzles, where none has a row', async () => {
    const run = await hrm(train('rowless', '--eval-split', 'named', '--set', 'arch.puzzle_emb_ndim=0'));
    expect(run.stderr).toContain('step 2: named exact');
    expect(run.code).toBe(0);
  });

  it.each(['', 'eval_interval: null\n'])(
    'a published configuration with %j for its interval',
    async (line) => {
      const config = join(folder, 'all_config.yaml');
      writeFileSync(config, `${readFileSync(fixture, 'utf8')}${line}`);
      const out = join(folder, `published-${line.length}`);
      const args = ['train', '--data', data, '--out', out, '--no-tune', '--config', config, ...TINY];
      const run = await hrm(args);
      // One epoch of 64 examples in batches of 8, and one evaluation at its end.
      expect(run.stderr.match(/^step \d+: test/gm)).toEqual(['step 8: test']);
      expect(run.code).toBe(0);
      expect(readFileSync(join(out, 'all_config.yaml'), 'utf8')).toMatch(/^eval_interval: 1$/m);
    },
  );

  it('relabelling in 16 tokens of 6 kinds, which may be Sudokus as well as mazes', async () => {
    const run = await hrm(train('ambiguous', '--augment', 'sudoku-digits'));
    expect(run.code).toBe(0);
  });
});
