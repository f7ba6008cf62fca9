import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { allCheckpoints } from '../../../src/cli/guess-options.ts';
import { writeSnapshot } from '../../../src/cli/train/loop/snapshots.ts';
import { isBetter } from '../../../src/runs/score.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-snapshots-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  [{ exact: 0.5, accuracy: 0.5, loss: 1 }, null, true],
  [{ exact: 0.6, accuracy: 0.1, loss: 9 }, { exact: 0.5, accuracy: 0.5, loss: 1 }, true],
  [{ exact: 0.4, accuracy: 0.9, loss: 0 }, { exact: 0.5, accuracy: 0.5, loss: 1 }, false],
  [{ exact: 0.5, accuracy: 0.6, loss: 9 }, { exact: 0.5, accuracy: 0.5, loss: 1 }, true],
  [{ exact: 0.5, accuracy: 0.5, loss: 0.9 }, { exact: 0.5, accuracy: 0.5, loss: 1 }, true],
  [{ exact: 0.5, accuracy: 0.5, loss: 1 }, { exact: 0.5, accuracy: 0.5, loss: 1 }, false],
])('%j is better than %j: %s', (score, best, better) => {
  expect(isBetter(score, best)).toBe(better);
});

it('keeps the last ones, in the order of their steps, and stands for them as checkpoints', async () => {
  for (const step of [80, 90, 100, 110]) await writeSnapshot(folder, step, [Uint8Array.of(step)], 2);
  const paths = [100, 110].map((step) => join(folder, 'snapshots', `step-${step}.safetensors`));
  expect(allCheckpoints('best', folder)).toEqual(['best', ...paths]);
  expect(allCheckpoints(paths[1], folder)).toEqual([paths[1], paths[0]]);
  expect(existsSync(join(folder, 'snapshots', 'step-90.safetensors'))).toBe(false);
  expect(readFileSync(paths[1])[0]).toBe(110);
});
