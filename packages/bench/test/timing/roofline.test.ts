import { type Device, openDevice, Philox } from '@hrm-webgpu/core';
import { check as addCheck } from '@hrm-webgpu/kernels/defs/add';
import { FMA_TURN, check as fmaCheck } from '@hrm-webgpu/kernels/defs/roofline_fma';
import { check as loadCheck } from '@hrm-webgpu/kernels/defs/roofline_load';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KernelCase, prepareKernel } from '../../src/timing/kernel-run.ts';
import { rooflineShare } from '../../src/timing/roofline.ts';
import { deviceStopwatch } from '../../src/timing/timing.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

describe('rooflineShare', () => {
  const roofline = {
    ...{ fmaGflops: 50, fmaGflopsUndisturbed: 50, fmaVariant: '', copyGBs: 10, scalarLoads: 1, vec4Loads: 1 },
  };
  it('takes the side that allows less', () => {
    // 1 GFLOP takes 20 ms at 50 GFLOP/s, 1 GB takes 100 ms at 10 GB/s.
    expect(rooflineShare({ flops: 1e9, bytes: 1e8 }, 40, roofline)).toEqual({
      share: 0.5,
      bound: 'arithmetic',
    });
    expect(rooflineShare({ flops: 1e9, bytes: 1e9 }, 400, roofline)).toEqual({
      share: 0.25,
      bound: 'memory',
    });
  });
});

describe('the microbenchmarks', () => {
  /** The shortest of five runs, in milliseconds: other work only ever makes them longer. */
  async function shortest(kernelCase: KernelCase): Promise<number> {
    const run = await prepareKernel(device, kernelCase, new Philox(1));
    const stopwatch = deviceStopwatch(device);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) times.push(await stopwatch(run, 1));
    run.dispose();
    return Math.min(...times);
  }

  it('do all their work: sixteen times as much takes far longer', async () => {
    const verify = () => {}; // their results are checked with the other kernels'
    const fma = (turns: number) => {
      const params = { length: 2 ** 15, fmas: turns * FMA_TURN, a: 1 - 2 ** -9, b: 0.25 };
      return shortest({ name: 'fma', check: fmaCheck, params, verify });
    };
    // On a busy machine one attempt may say anything; where a compiler has left something out, none succeeds.
    const farLonger = async (much: () => Promise<number>, little: () => Promise<number>) => {
      for (let attempt = 0; attempt < 10; attempt++) if ((await much()) > 5 * (await little())) return true;
      return false;
    };
    expect(
      await farLonger(
        () => fma(32),
        () => fma(2),
      ),
    ).toBe(true);
    const load = (loads: number) =>
      shortest({ name: 'load', check: loadCheck, params: { length: 2 ** 15, loads }, verify });
    expect(
      await farLonger(
        () => load(2048),
        () => load(128),
      ),
    ).toBe(true);
  });
});

describe('prepareKernel', () => {
  const name = 'sum';
  it('gives a candidate with its work', async () => {
    const alive = device.tensors.size;
    const run = await prepareKernel(
      device,
      { name, check: addCheck, params: { length: 100 } },
      new Philox(1),
    );
    expect(run).toMatchObject({ name, flops: 100, bytes: 1200 });
    run.dispose();
    expect(device.tensors.size).toBe(alive);
  });

  it('refuses a kernel that computes something else', async () => {
    const check: typeof addCheck = {
      ...addCheck,
      reference: (inputs, params, constants) => {
        const { c } = addCheck.reference(inputs, params, constants);
        c[77] += 0.01;
        return { c };
      },
    };
    await expect(
      prepareKernel(device, { name, check, params: { length: 100 } }, new Philox(1)),
    ).rejects.toThrow(/^sum: c: 1 of 100 wrong, all of element 77; worst \[77\]: is .*Nothing was timed\.$/);
  });
});
