import { readdirSync, readFileSync } from 'node:fs';
import {
  type ConstantValues,
  type Device,
  openDevice,
  type ParamValues,
  Philox,
  parseShader,
  sizeOf,
} from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { KernelCheck } from '../src/checks/check.ts';
import { allows, coveringSettingsOf } from '../src/checks/covering.ts';
import { instrumented, NOTES, ORDER_PARAM } from '../src/checks/instrumented.ts';
import { contentsFor, hardInputsOf, problemOf, runCheck, tensorsOf } from '../src/checks/run-check.ts';
import { launch } from '../src/kernel.ts';

const modules = import.meta.glob<{ check: KernelCheck<ParamValues> }>('../src/defs/*.ts', { eager: true });
const checks = Object.entries(modules).map(([file, { check }]) => ({ file, check }));
const shaderFiles = readdirSync(new URL('../../../shaders', import.meta.url)).sort();

let device: Device;
beforeAll(async () => {
  // Here compiling takes nearly all the time. LLVM's optimiser is a quarter of that on llvmpipe, and no kernel may depend
  // on it; it works in all other tests, and in every check of `npm run portability`.
  vi.stubEnv('GALLIVM_PERF', 'nopt');
  device = await openDevice();
});
afterAll(() => {
  device.close();
  vi.unstubAllEnvs();
});

it('every shader has one definition and one check, named like it', () => {
  expect(checks.map(({ file, check }) => `${file}: ${check?.kernel.name}`)).toEqual(
    checks.map(({ file }) => `${file}: ${file.split('/').at(-1)?.replace('.ts', '')}`),
  );
  expect(checks.map(({ check }) => `${check.kernel.name}.wgsl`).sort()).toEqual(shaderFiles);
});

/**
 * All cases of all kernels by `npm run check`; else not those of attention whose pipelines take longest to compile: its tiled kernels
 * are left to `npm run slow`, and larger heads run in the parity of the published model.
 */
function affordable(mode: string) {
  if (mode === 'check') return checks;
  const isTiled = (name: string) => name.startsWith('attention_workgroup');
  return checks
    .filter(({ check }) => isTiled(check.kernel.name) === (mode === 'slow'))
    .map(({ check, file }) => {
      if (!check.kernel.name.startsWith('attention')) return { check, file };
      const isSoon = ({ head_dim }: ParamValues) => (mode === 'slow' ? head_dim === 36 : head_dim <= 16);
      return { file, check: { ...check, cases: check.cases.filter(isSoon) } };
    });
}

describe.each(affordable(import.meta.env.MODE))('$check.kernel.name', ({ check }) => {
  const { name } = check.kernel;
  const text = readFileSync(new URL(`../../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
  const { bindings } = parseShader(name, text);
  const named = [{}, ...(check.variants ?? [])];

  it('checks everything that the shader may write', () => {
    const written = bindings.filter(({ access }) => access === 'read_write').map((binding) => binding.name);
    const { reference, inputs } = check;
    const params = check.cases[0];
    expect(Object.keys(reference(inputs(params, new Philox(1)), params, {})).sort()).toEqual(written.sort());
  });

  const caseOf = (params: ParamValues, constants: ConstantValues) => ({
    name: JSON.stringify({ ...params, ...constants })
      .replace(/[{}"]/g, '')
      .replace(/[:,]/g, ' '),
    params,
    constants,
  });
  it.for(check.cases.flatMap((params) => named.map((constants) => caseOf(params, constants))))(
    '$name',
    async ({ params, constants }, context) => {
      if (check.kernel.needs && !check.kernel.needs(device.adapter))
        context.skip(`${device.adapter.description} cannot run it`);
      expect(problemOf(await runCheck(device, check, params, { constants }))).toBeUndefined();
    },
  );

  if (import.meta.env.MODE === 'check')
    it('in all pairs of settings', async (context) => {
      if (check.kernel.needs && !check.kernel.needs(device.adapter))
        context.skip(`${device.adapter.description} cannot run it`);
      for (const constants of await coveringSettingsOf(device, check))
        for (const params of check.cases) {
          if (!(await allows(device, check.kernel, params, constants))) continue;
          const { name: at } = caseOf(params, constants);
          expect([at, problemOf(await runCheck(device, check, params, { constants }))]).toEqual([
            at,
            undefined,
          ]);
        }
    });

  it.for(hardInputsOf(check))('%s', async (hard, context) => {
    if (check.kernel.needs && !check.kernel.needs(device.adapter))
      context.skip(`${device.adapter.description} cannot run it`);
    for (const params of check.cases)
      for (const constants of named) {
        const { name } = caseOf(params, constants);
        const result = await runCheck(device, check, params, { constants, hard });
        expect([name, problemOf(result)]).toEqual([name, undefined]);
      }
  });

  // A tolerance that fits one draw alone would call an honest kernel wrong on an adapter that rounds otherwise. Of very few
  // numbers the largest, to which it is relative, may be next to nothing.
  it('is right on other draws of its inputs', async (context) => {
    if (check.kernel.needs && !check.kernel.needs(device.adapter))
      context.skip(`${device.adapter.description} cannot run it`);
    for (const params of check.cases) {
      const single = Object.values(check.outputs(params)).some((shape) => sizeOf(shape) === 1);
      const flops = check.kernel.flops(params);
      if (single || flops < 100 || flops > 1e6) continue;
      for (const seed of [2, 3, 4, 5, 6, 7, 8, 9]) {
        const problem = problemOf(await runCheck(device, check, params, { seed }));
        expect([caseOf(params, {}).name, seed, problem]).toEqual([caseOf(params, {}).name, seed, undefined]);
      }
    }
  });

  it('is right where its grid is folded', async (context) => {
    if (check.kernel.needs && !check.kernel.needs(device.adapter))
      context.skip(`${device.adapter.description} cannot run it`);
    // The first cases are too small for several workgroups, some of the last ones need pipelines of their own.
    for (const params of check.cases.slice(0, 4)) {
      expect(problemOf(await runCheck(device, check, params, { folded: true }))).toBeUndefined();
    }
  });

  const { parts } = check.kernel;
  if (!parts) return;
  it('computes the same bits in parts', async (context) => {
    if (check.kernel.needs && !check.kernel.needs(device.adapter))
      context.skip(`${device.adapter.description} cannot run it`);
    // The case with most items that is no stress test: several heads of several rows, several tiles.
    const params = check.cases
      .filter((candidate) => parts.items(candidate) < 1000)
      .reduce((a, b) => (parts.items(b) > parts.items(a) ? b : a));
    // As it is checked elsewhere here: to compile it once more, as it stands, would take long.
    const text = instrumented(name, check.kernel.text, device.limits.maxStorageBuffersPerShaderStage);
    const kernelAsChecked = { ...check.kernel, text };
    const notes = { [NOTES]: new Uint32Array(bindings.length) };
    const bitsOf = async (kernel = kernelAsChecked) => {
      const { dispatchCount } = device.stream;
      const tensors = tensorsOf(device, { ...contentsFor(check, params, new Philox(1)), ...notes });
      launch(device, kernel, tensors, { ...params, [ORDER_PARAM]: 0 });
      const arrays = await Promise.all(Object.values(tensors).map((tensor) => tensor.read()));
      for (const tensor of Object.values(tensors)) tensor.dispose();
      const bits = arrays.map(({ buffer }) => new Uint32Array(buffer));
      return { bits, dispatches: device.stream.dispatchCount - dispatchCount };
    };
    const whole = await bitsOf();
    expect(whole.dispatches).toBe(1);
    device.submitMs = 1e-9; // everything takes too long: a part for each step
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      for (const step of [undefined, 1, 2, 3]) {
        const stepped = step && { ...kernelAsChecked, parts: { ...parts, step: () => step } };
        const divided = await bitsOf(stepped || kernelAsChecked);
        expect(divided.dispatches).toBeGreaterThan(1);
        if (step) expect(divided.dispatches).toBe(Math.ceil(parts.items(params) / step));
        expect(divided.bits).toEqual(whole.bits);
      }
    } finally {
      warn.mockRestore();
      device.submitMs = 100;
    }
  });
});

it('matmul and attention can be divided', () => {
  const kernels = checks
    .map(({ check }) => check.kernel)
    .filter(({ name }) => /^(matmul|attention)/.test(name));
  expect(kernels.filter(({ parts }) => !parts).map(({ name }) => name)).toEqual(['matmul_naive']);
});
