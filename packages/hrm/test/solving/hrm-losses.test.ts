/** Solving on a device that is lost. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceLostError, openDevice, Philox } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSource } from '../../src/formats/files/file-source.node.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import { initializeModel } from '../../src/model/init.ts';
import { HRM } from '../../src/solving/hrm.ts';
import type { Thought } from '../../src/solving/solve-options.ts';
import { encodeModel } from '../../src/training/checkpoint.ts';
import { fixtureBytes, fixturePath } from '../formats/fixtures.ts';

const CHECKPOINT = fixturePath('trained-6x6/checkpoint');
const config = new TextDecoder().decode(fixtureBytes('trained-6x6/all_config.yaml'));
const puzzle = Array.from('4...212315...4..636....5..4.5..6....', (cell) =>
  cell === '.' ? 0 : Number(cell),
);
const grid = Array.from({ length: 6 }, (_, row) => puzzle.slice(6 * row, 6 * row + 6));
const grids = [grid, grid.map(() => [0, 0, 0, 0, 0, 0]), grid];
const options = { maxSteps: 6, halt: false, batchSize: 2 };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hrm-losses-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const lose = ({ model }: HRM) => model.device.gpu.destroy();

/** Answers and what was told on the way; `after` is called with each, of the model that gives it. */
async function solve(hrm: HRM, after: (thought: Thought) => void = () => {}) {
  const thoughts: Thought[] = [];
  const onSegment = (thought: Thought) => {
    thoughts.push(thought);
    after(thought);
  };
  return { solutions: await hrm.solve(grids, { ...options, onSegment }), thoughts };
}

describe('a model that opened its device itself', () => {
  it('solves to the same bits, and tells every segment once, however often the device is lost', async () => {
    const random = new Philox(3, 0);
    const attempts: number[] = [];
    using hrm = await HRM.load(fixturePath('trained-6x6'), {
      onDeviceLost: (error, attempt) => {
        expect(error).toBeInstanceOf(DeviceLostError);
        attempts.push(attempt);
      },
    });
    const undisturbed = await solve(hrm);
    const first = hrm.model;
    // While answers are handed out, and in between.
    const lossy = new Set([2, 5, 9, 15]);
    let told = 0;
    const disturbed = await solve(hrm, () => {
      if (!lossy.has(++told)) return;
      if (random.uniform() < 0.5) lose(hrm);
      else setTimeout(() => lose(hrm), 5 * random.uniform());
    });
    expect(attempts).toEqual([1, 1, 1, 1]);
    expect(disturbed).toEqual(undisturbed);
    expect(hrm.model).not.toBe(first);
    lose(hrm); // between two calls
    expect(await solve(hrm)).toEqual(undisturbed);
  }, 30_000);

  it('takes its weights again from bytes and from a Blob', async () => {
    const bytes = fixtureBytes('trained-6x6/checkpoint') as Uint8Array<ArrayBuffer>;
    for (const source of [bytes, new Blob([bytes])]) {
      using hrm = await HRM.load(source, { config });
      const undisturbed = await hrm.solve(grid);
      lose(hrm);
      expect(await hrm.solve(grid)).toEqual(undisturbed);
    }
  });

  it('says so where the weights are gone, or others now', async () => {
    const path = join(folder, 'checkpoint');
    copyFileSync(CHECKPOINT, path);
    using hrm = await HRM.load(path, { config });
    rmSync(path);
    lose(hrm);
    const gone = hrm.solve(grid);
    await expect(gone).rejects.toThrow(DeviceLostError);
    await expect(gone).rejects.toThrow(/^The GPU device was lost, and the weights with it: .*checkpoint/);
    using device = await openDevice();
    const parts = await encodeModel(await initializeModel(device, hrm.config, 1));
    writeFileSync(path, Buffer.concat(parts));
    await expect(hrm.solve(grid)).rejects.toThrow(/ holds others now\. Load the model again\.$/);
  });

  it('does not go on with weights from an open file', async () => {
    const file = await openTensorFile(await fileSource(CHECKPOINT));
    using hrm = await HRM.load(file, { config });
    lose(hrm);
    await expect(hrm.solve(grid)).rejects.toThrow(DeviceLostError);
    await file.close();
  });

  it('hands on what onSegment throws, and stops when told to', async () => {
    using hrm = await HRM.load(CHECKPOINT, { config });
    const mistake = new Error('a mistake');
    const throws = () => {
      throw mistake;
    };
    await expect(hrm.solve(grid, { onSegment: throws })).rejects.toBe(mistake);
    const stop = new AbortController();
    const stopped = hrm.solve(grid, {
      signal: stop.signal,
      onSegment: () => {
        lose(hrm);
        stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    expect((await hrm.solve(grid)).halted).toBe(true); // on another device
  });
});

describe("a device of the caller's", () => {
  it.each(['Device', 'GPUDevice'])('is not opened again: %s', async (kind) => {
    using device = await openDevice();
    using hrm = await HRM.load(CHECKPOINT, { config, device: kind === 'Device' ? device : device.gpu });
    const { model } = hrm;
    lose(hrm);
    await expect(hrm.solve(grid)).rejects.toThrow(DeviceLostError);
    expect(hrm.model).toBe(model);
  });

  it('is not opened again for a model that was there already', async () => {
    using device = await openDevice();
    using loaded = await HRM.load(CHECKPOINT, { config, device });
    using hrm = HRM.of(loaded.model);
    lose(hrm);
    await expect(hrm.solve(grid)).rejects.toThrow(DeviceLostError);
  });
});
