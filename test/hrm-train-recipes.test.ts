/** `hrm train`: presets, batches in parts, sampled evaluations, early stopping, the log. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hrm } from './run-hrm.ts';
import { writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-recipes-'));
const data = join(folder, 'data');

beforeAll(() => writeSmallDataset(data));
afterAll(() => rmSync(folder, { recursive: true }));

const TINY = [
  ...['arch.hidden_size=32', 'arch.num_heads=2', 'arch.puzzle_emb_ndim=32', 'arch.halt_max_steps=2'],
  ...['arch.H_layers=1', 'arch.L_layers=1', 'global_batch_size=8', 'lr_warmup_steps=5'],
].flatMap((setting) => ['--set', setting]);

/** A small run of the preset demo-4x4, in parts of 2 rows; 30 steps unless told. */
const train = (out: string, extra: string[] = []) => [
  ...['train', '--preset', 'demo-4x4', '--data', data, '--out', join(folder, out), '--steps', '30'],
  ...['--eval-every', '10', '--eval-sample', '16', '--micro-batch', '2', '--no-tune', ...TINY, ...extra],
];

/** Without the times, which no two runs share. */
const logOf = (out: string) =>
  readFileSync(join(folder, out, 'log.jsonl'), 'utf8').replaceAll(/"time":"[^"]+",/g, '');
const tensorsOf = (out: string) => {
  const bytes = readFileSync(join(folder, out, 'checkpoint.safetensors'));
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
};

describe('hrm train', () => {
  it('says what it will take, evaluates a sample and logs every step', async () => {
    const run = await hrm(train('whole'));
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toMatch(/memory: about .*weights .*optimizer .*carry .*activations .*evaluation/);
    expect(run.stderr).toContain('batch 8 (2 rows at a time)');
    expect(run.stderr).toContain("a random sample of 16 of 40 examples of 'test' (seed 0)");
    const entries = logOf('whole')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const trained = entries.filter(({ kind }) => kind === 'train');
    expect(trained.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    // The schedule of the preset: warm-up of 5 steps to lr 2e-3, then a cosine to 0.
    expect(trained[1].lr).toBeCloseTo((2e-3 * 2) / 5, 12);
    expect(trained[29].lr).toBe(0);
    const evaluated = entries.filter(({ kind }) => kind === 'evaluation');
    expect(evaluated.map(({ step, split, count }) => [step, split, count])).toEqual([
      [10, 'test', 16],
      [20, 'test', 16],
      [30, 'test', 16],
    ]);
    const config = readFileSync(join(folder, 'whole', 'all_config.yaml'), 'utf8');
    expect(config).toMatch(/rope_theta: 10$/m); // the preset's
  });

  it('goes on after a kill with the same bits and the same log, however finely it is submitted', async () => {
    let killed = false;
    await hrm(train('killed', ['--submit-ms', '2']), {
      onStderr(text, kill) {
        if (!killed && text.includes('step 10:')) setTimeout(() => kill('SIGKILL'), 400);
        killed ||= text.includes('step 10:');
      },
    });
    const resumed = await hrm(['train', '--out', join(folder, 'killed'), '--resume', '--submit-ms', '1']);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain('2 rows at a time');
    expect(tensorsOf('killed')).toBe(tensorsOf('whole'));
    expect(logOf('killed')).toBe(logOf('whole'));
  });

  it('stops early, and stays stopped when it is resumed', async () => {
    // Nothing is learnt at lr 0: the first evaluation stays the best.
    const still = ['--set', 'lr=0', '--set', 'puzzle_emb_lr=0', '--patience', '1'];
    const run = await hrm(train('patient', still));
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/stopped early: 1 evaluations without a better one/);
    const log = logOf('patient');
    expect(log.match(/"kind":"train"/g)).toHaveLength(20);
    const resumed = await hrm(['train', '--out', join(folder, 'patient'), '--resume', '--micro-batch', '8']);
    expect(resumed.stdout).toContain('stopped early');
    expect(resumed.stderr).toMatch(/batch 8$/m);
    expect(logOf('patient')).toBe(log);
  });
});

describe('bad input is one message and exit code 1', () => {
  it.each<[string, () => string[], RegExp]>([
    [
      'unknown preset',
      () => train('x', ['--preset', 'sudoku']),
      /--preset sudoku: unknown\. Did you mean 'sudoku-extreme'\? Presets: sudoku-ext/,
    ],
    [
      'preset without data',
      () => ['train', '--preset', 'maze-hard', '--out', join(folder, 'x')],
      /--data DIR.*built with: hrm data maze --csv/,
    ],
    ['uneven parts', () => train('x', ['--micro-batch', '3']), /micro-batch of 3 must divide.*\(8\): use 2/],
    [
      'a batch that does not fit',
      () => train('x', ['--set', 'global_batch_size=65536', '--micro-batch', '65536']),
      /batch of 65536 does not fit: .* in one buffer.*--micro-batch \d+: the same training/,
    ],
    [
      'a GPU that may not work',
      () => train('x', ['--submit-ms', '0']),
      /--submit-ms must be .* at least 1, got '0'/,
    ],
    [
      'bad accuracy',
      () => train('x', ['--stop-at-train-accuracy', '99']),
      /at most 1 \(0\.99 is 99 %\), got '99'/,
    ],
    [
      'options that a resumed run cannot change',
      () => ['train', '--out', join(folder, 'whole'), '--resume', '--patience', '2'],
      /--patience cannot be given/,
    ],
  ])('%s', async (_, args, message) => {
    const run = await hrm(args());
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain('    at ');
    expect(run.code).toBe(1);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });
});
