/** A GPU that computes wrongly is found out before its answers are believed. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { type LaunchedKernel, observeLaunches } from '@hrm-webgpu/kernels';
import { selfCheck } from '@hrm-webgpu/kernels/checks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_ARCH, type ModelConfig } from '../../src/model/config.ts';
import { initializeModel } from '../../src/model/init.ts';
import type { HrmModel } from '../../src/model/model.ts';
import { HRM } from '../../src/solving/hrm.ts';
import { recordInference, recordTraining } from '../../src/tuning/tuning-uses.ts';
import { verifyKernels } from '../../src/tuning/verify.ts';

const config: ModelConfig = {
  ...DEFAULT_ARCH,
  ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 2 },
  ...{ vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 },
};
const answering = (model: HrmModel) => recordInference(model, 1);

let folder: string;
let device: Device;
let model: HrmModel;
let warnings: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hrm-verify-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  warnings = [];
  vi.spyOn(console, 'warn').mockImplementation((line) => warnings.push(line));
  device = await openDevice();
  model = await initializeModel(device, config, 0);
});
afterEach(() => {
  model.dispose();
  device.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Makes the device compile a kernel to something else, as a driver with a fault does. */
function breakKernel(name: string, text: string, fault: string, on = device): void {
  const program = on.program.bind(on);
  vi.spyOn(on, 'program').mockImplementation((source, constants) => {
    if (source.name !== name) return program(source, constants);
    if (!source.text.includes(text)) throw new Error(`${name} has no '${text}'`);
    return program({ ...source, text: source.text.replace(text, fault) }, constants);
  });
}

/** What a software adapter does attention with. Known without a look at what is launched, which would be compiled. */
const attention = () => (device.adapter.subgroupMinSize >= 8 ? 'attention_subgroup' : 'attention');
const kernelNames = () =>
  new Set(observeLaunches(device, () => answering(model)).map(({ kernel }) => kernel.name));
const dispatches = async (body: () => Promise<unknown>) => {
  const before = device.stream.dispatchCount;
  await body();
  return device.stream.dispatchCount - before;
};

describe('a device that computes rightly', () => {
  it('passes, and is not checked again', async () => {
    expect(await dispatches(() => verifyKernels(model, answering))).toBeGreaterThan(15);
    expect(readdirSync(join(folder, 'hrm-webgpu'))).toEqual([expect.stringMatching(/^checked-/)]);
    expect(await dispatches(() => verifyKernels(model, answering))).toBe(0);
    expect([...device.unfit]).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('is checked where the cache cannot be written', async () => {
    vi.stubEnv('XDG_CACHE_HOME', '/dev/null/nowhere');
    expect(await dispatches(() => verifyKernels(model, answering))).toBeGreaterThan(15);
    expect(await dispatches(() => verifyKernels(model, answering))).toBeGreaterThan(15);
  });

  it('stops when it is told to', async () => {
    const reason = new Error('enough');
    await expect(verifyKernels(model, answering, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

it.each([
  { hidden_size: 64, num_heads: 4 }, // of the presets
  { hidden_size: 128, num_heads: 4 }, // of test/fixtures/trained-6x6
  { hidden_size: 512, num_heads: 8 }, // as published
])('what a model of %o launches is checked as it is launched', async (sizes) => {
  const sized = await initializeModel(device, { ...config, ...sizes, puzzle_emb_ndim: sizes.hidden_size }, 0);
  const launched = observeLaunches(device, () => recordTraining(sized, 8));
  expect(launched.length).toBeGreaterThan(20);
  const verdicts = [];
  for (const one of launched) verdicts.push(await selfCheck(device, one));
  sized.dispose();
  expect(verdicts.filter(({ problem }) => problem)).toEqual([]);
  const same = ({ constants }: Pick<LaunchedKernel, 'constants'>) =>
    JSON.stringify(Object.entries(constants).sort());
  expect(verdicts.map(same)).toEqual(launched.map(same));
});

describe('a kernel that is wrong', () => {
  it('is left out where its operation has another, now and next time, with one line', async () => {
    const name = attention();
    breakKernel(name, 'exp(', 'exp2(');
    await verifyKernels(model, answering);
    expect([...device.unfit.keys()]).toEqual([name]);
    expect(kernelNames()).not.toContain(name);
    expect(warnings).toEqual([
      expect.stringContaining(`${name} computes wrongly on this adapter and is left out: o: `),
    ]);
    device.unfit.clear();
    await verifyKernels(model, answering); // from the cache
    expect([...device.unfit.keys()]).toEqual([name]);
  });

  it('is refused where there is no other', async () => {
    breakKernel('swiglu', 'exp(', 'exp2(');
    const error = await verifyKernels(model, answering).catch((reason) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(
      /computes swiglu wrongly \(y: \d+ of \d+ wrong.*; worst \[\d+, \d+\]: is .*there is no other way to do it/,
    );
  });

  it('is refused when no way is left', async () => {
    for (const { kernel } of observeLaunches(device, () => answering(model)))
      if (kernel.name.startsWith('matmul')) device.unfit.set(kernel.name, 'c[0] is 1');
    for (const other of ['matmul', 'matmul_subgroup', 'matmul_workgroup'])
      device.unfit.set(other, 'c[0] is 1');
    await expect(verifyKernels(model, answering)).rejects.toThrow(
      /^matmul: .* has no kernel for it that computes correctly \(c\[0\] is 1\)/,
    );
  });

  it('counts as wrong when it does not compile', async () => {
    const name = attention();
    const program = device.program.bind(device);
    vi.spyOn(device, 'program').mockImplementation((source, constants) => {
      const made = program(source, constants);
      if (source.name === name) made.attempt = async () => 'an internal compiler error';
      return made;
    });
    await verifyKernels(model, answering);
    expect(device.unfit.get(name)).toBe('an internal compiler error');
    device.check(); // the device is none the worse for it
  });
});

it('HRM checks before the first answer in Node, and tells whether it did', async () => {
  const puzzle = new Int32Array(16).fill(1);
  const { verified } = await HRM.of(model).solve(puzzle);
  expect(verified).toBe(true);
  rmSync(join(folder, 'hrm-webgpu'), { recursive: true });
  const other = await openDevice();
  const wrong = await initializeModel(other, config, 0);
  breakKernel('swiglu', 'exp(', 'exp2(', other);
  await expect(HRM.of(wrong).solve(puzzle)).rejects.toThrow(/computes swiglu wrongly/);
  wrong.dispose();
  other.close();
});
