/** What must hold on every implementation of WebGPU. Runs in any host: it is given a device and the files of fixtures. */
import { adapterName, type Device, DeviceLostError, GpuError, Tensor } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import type { OpenFile } from '../../packages/hrm/src/parity/fixture.ts';
import { openFixture } from '../../packages/hrm/src/parity/fixture.ts';
import { runParity } from '../../packages/hrm/src/parity/parity.ts';
import { checkKernel, type Slice } from './kernels.ts';
import { comparePredictions } from './predictions.ts';
import { trainingLosses } from './training.ts';

/** One thing that was looked at. */
export interface SuiteRow {
  name: string;
  /** How much was looked at: cases, arrays, steps. */
  count: number;
  /** What is wrong, in the order found; empty where all is right. */
  failures: string[];
  /** What was left out, with the reason. */
  skipped: string[];
  seconds: number;
}

export interface SuiteReport {
  adapter: string;
  class: string;
  features: string[];
  rows: SuiteRow[];
  /** Of each step of a small training run. */
  losses: number[];
}

export interface SuiteOptions {
  /** The cases of each kernel that are checked: those of this one of so many slices. */
  slice: Slice;
  /** Rows of the evaluation of a trained model; 0 for none. */
  predictions: number;
  /** Steps of the training run; 0 for none. */
  steps: number;
  parity: boolean;
}

/** Fixture folders by name. */
export type OpenFixtureFile = (fixture: string) => OpenFile;

export async function runSuite(
  open: () => Promise<Device>,
  files: OpenFixtureFile,
  options: SuiteOptions,
): Promise<SuiteReport> {
  const device = await open();
  const rows: SuiteRow[] = [];
  let losses: number[] = [];
  const timed = async (name: string, body: () => Promise<Omit<SuiteRow, 'name' | 'seconds'>>) => {
    const start = performance.now();
    const row = await body().catch((error) => ({ count: 0, failures: [String(error)], skipped: [] }));
    rows.push({ name, ...row, seconds: (performance.now() - start) / 1000 });
  };
  await timed('kernels', () => checkKernels(device, options.slice));
  if (options.parity) await timed('parity of tiny-rope', () => checkParity(device, files('tiny-rope')));
  if (options.predictions > 0)
    await timed('answers of trained-6x6', async () => {
      const failures = await comparePredictions(device, files('trained-6x6'), options.predictions);
      return { count: options.predictions, failures, skipped: [] };
    });
  if (options.steps > 0)
    await timed('training', async () => {
      losses = await trainingLosses(device, options.steps);
      const failures = losses.every(Number.isFinite) ? [] : ['a loss is not finite'];
      return { count: losses.length, failures, skipped: [] };
    });
  await timed('a shader that does not compile', () => brokenShader(open));
  await timed('a device that is lost', () => lostDevice(open));
  const report = {
    adapter: adapterName(device),
    class: device.adapter.class,
    features: [...device.gpu.features].sort(),
    rows,
    losses,
  };
  device.close();
  return report;
}

/** Every check of every kernel that the adapter can run. */
async function checkKernels(device: Device, slice: Slice) {
  const results = [];
  for (const check of Object.values(checks)) results.push(await checkKernel(device, check, slice));
  return {
    count: results.reduce((sum, { count }) => sum + count, 0),
    failures: results.flatMap(({ failures }) => failures),
    skipped: results.flatMap(({ skipped }) => skipped ?? []),
  };
}

async function checkParity(device: Device, open: OpenFile) {
  const fixture = await openFixture(open);
  const rows = await runParity(device, fixture);
  await fixture.close();
  const failures = rows
    .filter(({ ok }) => !ok)
    .map(({ group, error, where }) => `${group}: ${error} at ${where}`);
  return { count: rows.reduce((sum, { compared }) => sum + compared, 0), failures, skipped: [] };
}

const BROKEN = {
  name: 'broken',
  text: `struct Params { length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main() {
  y[0] = nonsense;
}`,
};

/** The error must name file, line and column, and show the line with a caret under it. */
async function brokenShader(open: () => Promise<Device>) {
  const device = await open();
  const y = Tensor.empty(device, [1]);
  device.run({ source: BROKEN, tensors: { y }, params: { length: 1 }, workgroups: [1, 1, 1] });
  const error = await y.read().then(
    () => undefined,
    (reason) => reason,
  );
  device.close();
  const shown = /^broken\.wgsl:6:10: .+\n\s*6 \| {3}y\[0\] = nonsense;\n\s*\| {10}\^/;
  const right = error instanceof GpuError && shown.test(error.message);
  return { count: 1, failures: right ? [] : [`${error?.constructor?.name}: ${error?.message}`], skipped: [] };
}

/** Whoever waits, and whoever asks afterwards, gets a DeviceLostError. */
async function lostDevice(open: () => Promise<Device>) {
  const device = await open();
  const y = Tensor.from(device, Float32Array.of(1, 2, 3));
  const waiting = [y.read(), y.read(), y.read()].map((promise) =>
    promise.then(
      () => new Error('it succeeded'),
      (error: Error) => error,
    ),
  );
  device.gpu.destroy();
  const errors = await Promise.all(waiting);
  errors.push(
    await y.read().then(
      () => new Error('it succeeded'),
      (error: Error) => error,
    ),
  );
  device.close();
  const failures = errors
    .filter((error) => !(error instanceof DeviceLostError))
    .map((error) => `${error.constructor.name}: ${error.message}`);
  return { count: errors.length, failures, skipped: [] };
}
