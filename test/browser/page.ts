// The page of browser.test.ts: runs a fixture and solves a puzzle in the browser, with the engine that users get, on the
// GPU that `openDevice` finds there.
import { type AdapterDescription, type Choice, openDevice, UserError } from '@hrm-webgpu/core';
import { HRM, type Solution } from 'hrm-webgpu';
import { bytesSource } from '../../packages/hrm/src/formats/files/byte-source.ts';
import type { ParityRow } from '../../packages/hrm/src/parity/comparison.ts';
import { type OpenFile, openFixture } from '../../packages/hrm/src/parity/fixture.ts';
import { runParity } from '../../packages/hrm/src/parity/parity.ts';
import { applyChoices } from '../../packages/hrm/src/tuning/tuning.ts';
import { loadTuning, saveTuning } from '../../packages/hrm/src/tuning/tuning-store.browser.ts';

/** What the page found; `error` when it was a message for the user. */
export type PageReport = { adapter: AdapterDescription; rows: ParityRow[] } | { error: string };

/** Answers before and after the GPU process ended, segments told, and how often the device was opened again. */
export interface Outlived {
  before: Solution;
  after: Solution;
  told: number[];
  attempts: number[];
}

declare global {
  interface Window {
    /** Runs the parts of the fixture that the page's server offers. */
    parity(parts: string[]): Promise<PageReport>;
    /** Loads the checkpoint behind a URL and solves a puzzle; `thoughts` counts the answers on the way. */
    solve(checkpoint: string, grid: number[][]): Promise<{ solution: Solution; thoughts: number }>;
    /** Solves a puzzle twice; `crash` ends the GPU process the second time, after the first answer on the way. */
    outlive(checkpoint: string, grid: number[][]): Promise<Outlived>;
    /** Ends the GPU process. */
    crash(): Promise<void>;
    /** Keeps a tuning record, and returns what a device opened afterwards finds. */
    tuning(choices: Record<string, Choice>): Promise<Record<string, Choice>>;
  }
}

const fetchFile: OpenFile = async (name) => {
  const response = await fetch(name);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return bytesSource(new Uint8Array(await response.arrayBuffer()), name);
};

window.tuning = async (choices) => {
  const first = await openDevice();
  await loadTuning(first); // nothing is there yet
  if (first.tuning.size > 0) throw new Error('a fresh profile holds a tuning record');
  applyChoices(first, choices);
  await saveTuning(first);
  first.close();
  const second = await openDevice();
  await loadTuning(second);
  const found = Object.fromEntries(second.tuning);
  second.close();
  return found;
};

window.solve = async (checkpoint, grid) => {
  const model = await HRM.load(checkpoint);
  let thoughts = 0;
  const solution = await model.solve(grid, { onSegment: () => thoughts++ });
  model.dispose();
  return { solution, thoughts };
};

window.outlive = async (checkpoint, grid) => {
  const attempts: number[] = [];
  const model = await HRM.load(checkpoint, { onDeviceLost: (_, attempt) => attempts.push(attempt) });
  const options = { halt: false, maxSteps: 4 };
  const before = await model.solve(grid, options);
  const told: number[] = [];
  const onSegment = ({ segment }: { segment: number }) => {
    if (told.push(segment) === 1) window.crash();
  };
  const after = await model.solve(grid, { ...options, onSegment });
  model.dispose();
  return { before, after, told, attempts };
};

window.parity = async (parts) => {
  try {
    const device = await openDevice();
    const fixture = await openFixture(fetchFile);
    const rows = await runParity(device, fixture, parts);
    await fixture.close();
    device.close();
    return { adapter: device.adapter, rows };
  } catch (error) {
    if (error instanceof UserError) return { error: error.message };
    throw error;
  }
};
