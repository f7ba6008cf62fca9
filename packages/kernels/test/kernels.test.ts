import { readdirSync, readFileSync } from 'node:fs';
import { type Device, openDevice, type ParamValues, Philox, parseShader } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KernelCheck } from '../src/check.ts';
import { describeWorst, isRight, runCheck } from '../src/run-check.ts';

const modules = import.meta.glob<{ check: KernelCheck<ParamValues> }>('../src/defs/*.ts', { eager: true });
const checks = Object.entries(modules).map(([file, { check }]) => ({ file, check }));
const shaderFiles = readdirSync(new URL('../../../shaders', import.meta.url)).sort();

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

it('every shader has one definition and one check, named like it', () => {
  expect(checks.map(({ file, check }) => `${file}: ${check?.kernel.name}`)).toEqual(
    checks.map(({ file }) => `${file}: ${file.split('/').at(-1)?.replace('.ts', '')}`),
  );
  expect(checks.map(({ check }) => `${check.kernel.name}.wgsl`).sort()).toEqual(shaderFiles);
});

describe.each(checks)('$check.kernel.name', ({ check }) => {
  const { name } = check.kernel;
  const text = readFileSync(new URL(`../../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
  const { bindings } = parseShader(name, text);
  const variants = [{}, ...(check.variants ?? [])];

  it('checks everything that the shader may write', () => {
    const written = bindings.filter(({ access }) => access === 'read_write').map((binding) => binding.name);
    const { reference, inputs } = check;
    const params = check.cases[0];
    expect(Object.keys(reference(inputs(params, new Philox(1)), params, {})).sort()).toEqual(written.sort());
  });

  it.for(check.cases.flatMap((params) => variants.map((constants) => ({ params, constants }))))(
    '$params $constants',
    async ({ params, constants }, context) => {
      if (check.kernel.needs && !check.kernel.needs(device.adapter))
        context.skip(`${device.adapter.description} cannot run it`);
      const results = await runCheck(device, check, params, constants);
      expect(results.filter((worst) => !isRight(worst)).map(describeWorst)).toEqual([]);
    },
  );
});
