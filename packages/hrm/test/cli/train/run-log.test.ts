import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, expect, it } from 'vitest';
import { RunLog } from '../../../src/cli/train/loop/logs/run-log.ts';
import type { Evaluation } from '../../../src/evaluation/evaluate.ts';
import type { StepReport } from '../../../src/training/steps.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-log-'));
const path = join(folder, 'log.jsonl');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const report = (step: number): StepReport => ({
  step,
  lr: 0.5,
  loss: 3,
  sums: {
    count: 4,
    accuracy: 2,
    exact_accuracy: 1,
    q_halt_accuracy: 4,
    steps: 12,
    lm_loss: 16,
    q_halt_loss: 8,
    q_continue_loss: 24,
  },
});
const evaluation = { exact: 1, count: 2 } as Evaluation;
const lines = () =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

it('divides sums by the rows that halted, losses by the batch', async () => {
  const log = await RunLog.open(path, { step: 0, evaluatedStep: 0 });
  log.addSteps([report(1)], 8);
  expect(lines()).toEqual([
    {
      ...{
        kind: 'train',
        step: 1,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        lr: 0.5,
        halted: 4,
        accuracy: 0.5,
        exact_accuracy: 0.25,
        q_halt_accuracy: 1,
      },
      ...{ steps: 3, lm_loss: 2, q_halt_loss: 1, q_continue_loss: 3 },
    },
  ]);
});

it('has the norms of the gradient where a step has them', async () => {
  const log = await RunLog.open(path, { step: 0, evaluatedStep: 0 });
  log.addSteps([{ ...report(1), gradientNorms: { all: 5, H_level: 3, L_level: 4 } }, report(2)], 8);
  const norms = { grad_norm: 5, grad_norm_H_level: 3, grad_norm_L_level: 4 };
  expect(lines()[0]).toMatchObject(norms);
  for (const name of Object.keys(norms)) expect(lines()[1]).not.toHaveProperty(name);
});

it('drops what came after the checkpoint, and a line cut short', async () => {
  const log = await RunLog.open(path, { step: 0, evaluatedStep: 0 });
  log.addSteps([report(1), report(2)], 8);
  log.addEvaluation(2, 'test', evaluation);
  log.addSteps([report(3)], 8);
  log.addEvaluation(3, 'test', evaluation);
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"kind":"train","st`);
  // Saved at step 3, before its evaluation was through.
  const again = await RunLog.open(path, { step: 3, evaluatedStep: 2 });
  again.addSteps([report(4)], 8);
  expect(lines().map(({ kind, step }) => `${kind} ${step}`)).toEqual([
    'train 1',
    'train 2',
    'evaluation 2',
    'train 3',
    'train 4',
  ]);
});

it('writes an event file for TensorBoard where that is asked for', async () => {
  const own = mkdtempSync(join(folder, 'events-'));
  const files = () => readdirSync(own).filter((name) => name.startsWith('events.out.tfevents.'));
  const log = await RunLog.open(join(own, 'log.jsonl'), { step: 0, evaluatedStep: 0 });
  log.close();
  expect(files()).toEqual([]);
  const told = await RunLog.open(join(own, 'log.jsonl'), { step: 3, evaluatedStep: 0 }, true);
  told.addSteps([report(4)], 8);
  told.addEvaluation(4, 'test', { ...evaluation, q_halt_accuracy: Number.NaN });
  told.close();
  const [name] = files();
  const text = readFileSync(join(own, name), 'latin1');
  for (const tag of ['train/lm_loss', 'train/lr', 'test/exact']) expect(text).toContain(tag);
  expect(text).not.toContain('test/q_halt_accuracy');
});

it('says what is wrong with the file', async () => {
  const nowhere = join(folder, 'none', 'log.jsonl');
  await expect(RunLog.open(nowhere, { step: 0, evaluatedStep: 0 })).rejects.toThrow(UserError);
});
