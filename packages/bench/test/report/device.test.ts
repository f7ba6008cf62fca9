/** Benchmarks run the kernels of a folder, say so, and time none that is wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Philox } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { afterAll, expect, it } from 'vitest';
import { openBenchDevice } from '../../src/report/device.node.ts';
import { formatProvenance, provenance } from '../../src/report/provenance.node.ts';
import { prepareKernel } from '../../src/timing/kernel-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-bench-shaders-'));
afterAll(() => rmSync(folder, { recursive: true }));

const original = readFileSync(
  fileURLToPath(new URL('../../../../shaders/swiglu.wgsl', import.meta.url)),
  'utf8',
);
const swiglu = { name: 'swiglu', check: checks.swiglu, params: { rows: 3, width: 34 } };

it.each([
  ['right', original.replace('1 + exp', '1.0 + exp'), undefined],
  ['wrong', original.replace('1 + exp', '1.01 + exp'), /^swiglu: y: \d+ of 102 wrong.* Nothing was timed\.$/],
])('runs a kernel of a folder that is %s', async (_, text, problem) => {
  expect(text).not.toBe(original);
  writeFileSync(join(folder, 'swiglu.wgsl'), text);
  const device = await openBenchDevice(folder);
  try {
    const environment = provenance(device, { shaders: folder, note: 'a note' });
    expect(environment.shaders).toBe(`swiglu from ${folder}`);
    expect(formatProvenance(environment)).toMatch(new RegExp(` · swiglu from ${folder} · a note$`));
    const prepared = prepareKernel(device, swiglu, new Philox(1));
    if (problem) await expect(prepared).rejects.toThrow(problem);
    else (await prepared).dispose();
  } finally {
    device.close();
  }
});

it("says nothing of shaders where they are the engine's own", async () => {
  const device = await openBenchDevice(undefined);
  expect(provenance(device, {})).not.toHaveProperty('shaders');
  device.close();
});
