/** `hrm eval` on ARC where something is missing: the right answers, or votes. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFileAtomic } from '../packages/hrm/src/formats/files/atomic-write.node.ts';
import { DEFAULT_ARCH } from '../packages/hrm/src/model/config.ts';
import { initializeModel } from '../packages/hrm/src/model/init.ts';
import { encodeModel } from '../packages/hrm/src/training/checkpoint.ts';
import { hrm } from './run-hrm.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-eval-arc-'));
afterAll(() => rmSync(folder, { recursive: true }));
const model = join(folder, 'model.safetensors');

const KNOWN = { input: [[1, 2]], output: [[2, 1]] };
const HIDDEN = { input: [[3, 0]] };

beforeAll(async () => {
  const device = await openDevice();
  const config = {
    ...DEFAULT_ARCH,
    ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 1 },
    ...{ vocab_size: 12, seq_len: 900, num_puzzle_identifiers: 20 },
  };
  await writeFileAtomic(model, await encodeModel(await initializeModel(device, config, 0)));
  device.close();
});

/** Builds a dataset of tasks with these test pairs, each with two copies. */
async function build(name: string, tests: Record<string, object[]>): Promise<string> {
  const tasks = join(folder, `${name}-tasks`);
  mkdirSync(join(tasks, 'evaluation'), { recursive: true });
  for (const [task, test] of Object.entries(tests)) {
    writeFileSync(join(tasks, 'evaluation', `${task}.json`), JSON.stringify({ train: [KNOWN], test }));
  }
  const data = join(folder, name);
  expect(await hrm(['data', 'arc', tasks, '--augment', '2', '--out', data])).toMatchObject({ code: 0 });
  return data;
}

const evaluate = (data: string, ...options: string[]) =>
  hrm(['eval', model, '--data', data, '--no-tune', ...options]);

describe('hrm eval on ARC', () => {
  it('submits answers to tasks whose right ones are hidden, and does not call that 0 %', async () => {
    const data = await build('hidden', { a: [HIDDEN], b: [HIDDEN, KNOWN] });
    const file = join(folder, 'submission.json');
    const run = await evaluate(data, '--submission', file);
    expect(run).toMatchObject({ code: 0 });
    const submission = JSON.parse(readFileSync(file, 'utf8'));
    expect(submission).toMatchObject({ a: { length: 1 }, b: { length: 2 } });
    expect(run.stdout).toContain(
      'none of the 2 tasks is scored: right answers to their test inputs are not known',
    );
    expect(run.stdout).not.toContain('solved at');
    // The one answer of b that is known counts for what is not about whole tasks.
    expect(run.stdout).toMatch(/^exact accuracy .*\(\d\/3\)/m);
    expect(JSON.parse((await evaluate(data, '--json')).stdout)).toMatchObject({
      count: 3,
      arc: {},
      notes: [expect.stringMatching(/right answers to their test inputs are not known/)],
    });
  });

  it('shows no accuracy where nothing is known, and scores what is', async () => {
    const none = await evaluate(await build('none', { a: [HIDDEN] }));
    expect(none).toMatchObject({ code: 0 });
    expect(none.stdout).toContain('no accuracy: no example has a label that counts');
    expect(none.stdout).not.toMatch(/\d %/);
    const some = await evaluate(await build('some', { a: [HIDDEN], b: [KNOWN] }));
    expect(some.stdout).toContain('1 of 2 tasks are not scored');
    expect(some.stdout).toMatch(/^solved at 2 .*\(\d\/1\)/m);
  });

  it('says of a sample that votes are missing', async () => {
    const data = await build('sampled', { a: [KNOWN], b: [KNOWN] });
    expect((await evaluate(data, '--sample', '2')).stdout).toMatch(
      /^arc, share of tasks\n[12] of [12] tasks are voted on by some of their copies only, as with --sample/m,
    );
    expect((await evaluate(data)).stdout).not.toContain('voted on');
  });
});
