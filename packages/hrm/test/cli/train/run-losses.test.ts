/** The loop of `hrm train` on a device that is lost while it trains, saves and evaluates. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Device, openDevice } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { RUN_FILES } from '../../../src/checkpoints/model-file.node.ts';
import { runTraining } from '../../../src/cli/train/loop/run.ts';
import { DEFAULT_NOTES, type RunNotes } from '../../../src/cli/train/loop/run-notes.ts';
import type { Split } from '../../../src/data/dataset/dataset.ts';
import type { TokenRows } from '../../../src/data/dataset/token-rows.ts';
import { Survival } from '../../../src/training/survival.ts';
import { Trainer } from '../../../src/training/trainer.ts';
import { smallRun, testSplit, trainSplit } from '../../training/losses.ts';

/** A split that tells when an example is read: `onRead` gets the number of the read. */
function watched(split: Split, onRead: (count: number) => void): Split {
  let reads = 0;
  const sets = [...split.sets].map(([name, set]) => {
    const read: TokenRows['read'] = (...rows) => {
      onRead(++reads);
      return set.inputs.read(...rows);
    };
    return [name, { ...set, inputs: { ...set.inputs, read } }] as const;
  });
  return { ...split, sets: new Map(sets) };
}

/**
 * What a run of 24 steps with three evaluations of 8 examples leaves behind.
 *
 * @param trainReads, evalReads the device is lost when so many examples have been read to train and to evaluate
 */
async function run(trainReads: number[] = [], evalReads: number[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-losses-'));
  let losses = 0;
  let current: Device | undefined;
  const open = async (): Promise<Device> => {
    current = await openDevice();
    return current;
  };
  const loseAt = (counts: number[]) => (count: number) => {
    if (counts.includes(count)) current?.gpu.destroy();
  };
  try {
    using device = await open();
    using trainer = await Trainer.start(device, {
      ...smallRun(24),
      split: watched(trainSplit, loseAt(trainReads)),
      survival: new Survival(open, () => {
        losses += 1;
      }),
    });
    const notes: RunNotes = {
      ...{ ...DEFAULT_NOTES, data: 'none', dataset: 'none', augment: null },
      ...{ evalSplit: 'test', evalEvery: 8 },
    };
    await runTraining({ trainer, folder, notes, evalSplit: watched(testSplit, loseAt(evalReads)) });
    const lines = readFileSync(join(folder, RUN_FILES.log), 'utf8').trim().split('\n');
    return {
      losses,
      log: lines.map((line) => ({ ...JSON.parse(line), time: undefined })),
      latest: readFileSync(join(folder, RUN_FILES.latest)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('writes the log and the checkpoint of an undisturbed run', async () => {
  const undisturbed = await run();
  const disturbed = await run([20, 100], [3, 30]);
  expect(disturbed.losses).toBe(4);
  expect(disturbed.log).toEqual(undisturbed.log);
  expect(disturbed.latest.equals(undisturbed.latest)).toBe(true);
}, 30_000);
