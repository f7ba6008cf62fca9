/** `hrm tune`, and what `hrm train` and `hrm eval` say of what it found. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '@hrm-webgpu/core';
import { standardChoice } from '@hrm-webgpu/kernels/operation';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initializeModel } from '../packages/hrm/src/model/init.ts';
import { PRESETS } from '../packages/hrm/src/training/presets.ts';
import { saveTuning } from '../packages/hrm/src/tuning/tuning-store.node.ts';
import { operationsOf } from '../packages/hrm/src/tuning/tuning-uses.ts';
import { hrm } from './run-hrm.ts';
import { writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-tune-'));
const data = join(folder, 'data');
const env = { XDG_CACHE_HOME: join(folder, 'cache') };
const before = process.env.XDG_CACHE_HOME;

const SIZES = { hidden_size: 32, num_heads: 2, puzzle_emb_ndim: 32, H_layers: 1, L_layers: 1 };
const MODEL = [
  ...['--preset', 'demo-4x4', '--data', data, '--set', 'global_batch_size=8'],
  ...Object.entries(SIZES).flatMap(([key, value]) => ['--set', `arch.${key}=${value}`]),
];
/** Slow to tune all, even of a small model: these two are left to do, of a batch of one row. */
const LEFT = /^residual_rms_norm rows=17 |^matmul m=17 n=6 /;

beforeAll(async () => {
  await writeSmallDataset(data);
  process.env.XDG_CACHE_HOME = env.XDG_CACHE_HOME;
  const device = await openDevice();
  const sizes = { vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 };
  const model = await initializeModel(device, { ...PRESETS['demo-4x4'].arch, ...SIZES, ...sizes }, 0);
  for (const [key, { operation, params }] of operationsOf(model, { training: 2, inference: [40, 1] })) {
    if (!LEFT.test(key)) device.tuning.set(key, standardChoice(operation, device, params));
  }
  await saveTuning(device);
  device.close();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
});

const files = () => readdirSync(join(env.XDG_CACHE_HOME, 'hrm-webgpu'));
const choices = () =>
  JSON.parse(readFileSync(join(env.XDG_CACHE_HOME, 'hrm-webgpu', files()[0]), 'utf8')).choices;

it('finds ways for just the batches that train, eval and solve use, and keeps each at once', async () => {
  const had = Object.keys(choices()).length;
  const args = ['tune', ...MODEL, '--micro-batch', '2'];
  let timer: NodeJS.Timeout | undefined;
  const stopped = await hrm(args, {
    env,
    onStart: (kill) => {
      timer = setInterval(() => Object.keys(choices()).length > had && kill('SIGINT'), 5);
    },
  });
  clearInterval(timer);
  expect(stopped.code === null || stopped.code === 130).toBe(true);
  expect(stopped.stderr).toContain('for training calls of 2 rows, evaluation of 40 and solving of 1');
  expect(stopped.stderr).toContain(`${had} of ${had + 2} have been tuned before`);
  expect(stopped.stderr).toMatch(/2 operations, up to \d+ ways to do them: very roughly 0:\d\d/);
  expect(files()).toHaveLength(1);
  expect(Object.keys(choices())).toHaveLength(had + 1);

  const done = await hrm(args, { env });
  expect(done).toMatchObject({ code: 0 });
  expect(done.stderr).toContain(`${had + 1} of ${had + 2} have been tuned before`);
  expect(done.stdout).toMatch(/\d ms .*others tried/);
  expect(Object.keys(choices())).toHaveLength(had + 2);
});

it('is told by train, resumed too, and eval', async () => {
  const out = join(folder, 'run');
  const train = (name: string, parts: string) => {
    const options = ['--out', join(folder, name), '--steps', '1', '--micro-batch', parts];
    return hrm(['train', ...MODEL, ...options], { env });
  };
  const tuned = await train('run', '2');
  expect(tuned).toMatchObject({ code: 0 });
  const [, all] = tuned.stderr.match(/^tuning: (\d+) of the \1 operations used are tuned$/m) ?? [];
  expect(Number(all)).toBeGreaterThan(20);
  const resumed = await hrm(['train', '--out', out, '--resume'], { env });
  expect(resumed.stderr).toContain(`tuning: ${all} of the ${all} operations used are tuned\n`);
  expect(resumed.stderr).not.toContain('note:');
  const inParts = await train('parts', '4'); // its evaluation alone is known
  const advice = /^tuning: (\d+) of the (\d+) operations used are tuned; 'hrm tune' for this model/m;
  const [, some, of] = (inParts.stderr.match(advice) ?? []).map(Number);
  expect(some).toBeGreaterThan(0);
  expect(some).toBeLessThan(of);

  const evaluated = await hrm(['eval', out, '--data', data], { env });
  expect(evaluated.stderr).toMatch(/^tuning: (\d+) of the \1 operations used are tuned$/m);
  const untuned = await hrm(['eval', out, '--data', data, '--sample', '3', '--no-tune'], { env });
  expect(untuned.stderr).not.toContain('tuning:');
});

it.each([
  [['--data', data, '--vocab', '6'], '--seq-len and --vocab are for doing without --data'],
  [['--eval-split', 'test'], '--eval-split is one of a dataset'],
  [['--batch', '6', '--micro-batch', '4'], 'the micro-batch of 4 must divide global_batch_size (6)'],
  [['--preset', 'sudoku'], '--preset sudoku: unknown'],
])('refuses %j', async (args, message) => {
  const run = await hrm(['tune', ...args], { env });
  expect(run.code).toBe(1);
  expect(run.stderr).toContain(message);
});
