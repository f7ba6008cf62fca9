import {
  type AdapterDescription,
  type Choice,
  type Device,
  openDevice,
  type ParamValues,
  Philox,
  parseShader,
  Tensor,
} from '@hrm-webgpu/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type KernelCheck, uniformArray } from '../src/checks/check.ts';
import { settingsOf, tunablesOf } from '../src/checks/tunables.ts';
import { tune } from '../src/checks/tuner.ts';
import { fill } from '../src/defs/fill.ts';
import { matmulReference } from '../src/defs/matmul.ts';
import { matmulWorkgroup } from '../src/defs/matmul_workgroup.ts';
import { residualRmsNorm as normKernel } from '../src/defs/residual_rms_norm.ts';
import { attentionBackwardOperations } from '../src/gradients/attention.ts';
import { linear, residualRmsNorm } from '../src/index.ts';
import { launch } from '../src/kernel.ts';
import {
  kernelOf,
  type Operation,
  observeOperations,
  runChoice,
  standardChoice,
  tuningKey,
} from '../src/operation.ts';
import { matmulOperation, multiply } from '../src/ops/matmul.ts';

const modules = import.meta.glob<{ check: KernelCheck<ParamValues> }>('../src/defs/*.ts', { eager: true });
const checkOf = async (kernel: string) => modules[`../src/defs/${kernel}.ts`].check;

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());
afterEach(() => {
  device.tuning.clear();
  expect(device.tensors.size).toBe(0);
});

const shape = { m: 37, n: 20, k: 210, a_row: 210, a_column: 1 };

/** The product of random matrices in the way that the device's record says. */
async function product(): Promise<{ c: Float32Array; reference: Float64Array }> {
  const random = new Philox(3);
  const [a, b] = [shape.m * shape.k, shape.k * shape.n].map((size) => uniformArray(random, size));
  const tensors = [a, b].map((data) => Tensor.from(device, data));
  const c = Tensor.empty(device, [shape.m, shape.n]);
  multiply(tensors[0], tensors[1], c, shape);
  const result = await c.readF32();
  for (const tensor of [...tensors, c]) tensor.dispose();
  return { c: result, reference: matmulReference(a, b, shape) };
}

describe('a tuning record', () => {
  it('decides how operations are done, and every way is right', async () => {
    const { c: standard } = await product();
    for (const splits of [1, 2, 3]) {
      const choice = { kernel: 'matmul_workgroup', settings: { splits, TILE_K: 8 } };
      device.tuning.set(tuningKey('matmul', shape), choice);
      const { dispatchCount } = device.stream;
      const { c, reference } = await product();
      expect(device.stream.dispatchCount - dispatchCount).toBe(splits > 1 ? 2 : 1);
      c.forEach((value, i) => {
        expect(Math.abs(value - reference[i])).toBeLessThan(1e-5 * Math.sqrt(shape.k));
      });
      if (splits === 1) expect(c).toEqual(standard); // all kernels sum in the same order
    }
  });

  /** The kernels that a product runs when the record holds `choice` for it, or nothing. */
  const kernelsWith = async (choice?: Choice) => {
    if (choice) device.tuning.set(tuningKey('matmul', shape), choice);
    const launches = vi.spyOn(device, 'run');
    await product();
    const names = launches.mock.calls.map(([{ source }]) => source.name);
    launches.mockRestore();
    device.tuning.clear();
    return names;
  };

  it('is not followed where it names a kernel or a setting of another version', async () => {
    const standard = await kernelsWith();
    expect(await kernelsWith({ kernel: 'matmul_of_old', settings: {} })).toEqual(standard);
    const workgroup = { kernel: 'matmul_workgroup', settings: { splits: 2, TILE_K: 8 } };
    expect(await kernelsWith(workgroup)).toEqual(['matmul_workgroup', 'batch_sum']);
    const unknown = { ...workgroup, settings: { ...workgroup.settings, OLD_TILE: 8 } };
    expect(await kernelsWith(unknown)).toEqual(standard);
  });

  it('is not followed where the adapter cannot run the kernel', async () => {
    const choice = { kernel: 'matmul_subgroup', settings: {} };
    const own = device.adapter;
    const pretend = (adapter: AdapterDescription) => Object.assign(device, { adapter });
    try {
      pretend({ ...own, class: 'software', subgroupMinSize: 4 });
      expect(await kernelsWith(choice)).toEqual(['matmul']);
      pretend({ ...own, class: 'gpu', subgroupMinSize: 32 });
      expect(await kernelsWith(choice)).toEqual(['matmul_workgroup']);
    } finally {
      pretend(own);
    }
  });
});

describe('doing an operation as told', () => {
  it('refuses a kernel that it does not have', () => {
    expect(() => runChoice(device, matmulOperation, { kernel: 'fill', settings: {} }, {}, shape)).toThrow(
      "matmul: there is no kernel 'fill'",
    );
  });
});

describe('the standard matmul of GPUs', () => {
  const { name: file, text } = matmulWorkgroup;
  const declared = [...parseShader(file, text).constants.values()].map(({ name, value }) => [
    name,
    Number(value),
  ]);

  // A weight gradient of the 27 M model, its heads (11 and 2 outputs), and widths that have no packs of four.
  it.each([
    [512, 512],
    [11, 512],
    [2, 512],
    [512, 11],
    [512, 6],
  ])('divides k as the number of workgroups for %d × %d asks', (m, n) => {
    const params = { m, n, k: 1 << 20, a_row: 1, a_column: m };
    const constants = matmulWorkgroup.constants?.({ ...params, splits: 1 }, 'gpu');
    const numbers = { ...Object.fromEntries(declared), ...constants };
    const [x, y, z] = matmulWorkgroup.workgroups({ ...params, splits: 1 }, numbers);
    const choice = matmulOperation.standard?.({ ...device.adapter, class: 'gpu' }, params);
    expect(choice?.settings.splits).toBe(Math.ceil(96 / (x * y * z)));
  });
});

describe('observing', () => {
  it('lists each operation and shape once, also of what is only recorded', () => {
    const x = Tensor.from(device, new Float32Array(6 * 8), [6, 8]);
    const w = Tensor.from(device, new Float32Array(8 * 8), [8, 8]);
    const uses = observeOperations(device, () => {
      device
        .record(() => {
          const y = linear(x, w);
          return residualRmsNorm(linear(y, w), y, 1e-5);
        })
        .dispose();
    });
    expect([...uses.keys()]).toEqual([
      'matmul m=6 n=8 k=8 a_row=8 a_column=1',
      'residual_rms_norm rows=6 columns=8 eps=0.00001',
    ]);
    x.dispose();
    w.dispose();
  });
});

describe('tune', () => {
  const use = {
    operation: matmulOperation as unknown as Operation<ParamValues>,
    params: { m: 40, n: 24, k: 96, a_row: 96, a_column: 1 },
  };

  it('tries other kernels and settings, checks them, and names one of them', async () => {
    const result = await tune(device, use, checkOf);
    expect(result.key).toBe('matmul m=40 n=24 k=96 a_row=96 a_column=1');
    expect(result.tried).toBeGreaterThan(2);
    expect(result.ms).toBeGreaterThan(0); // which way is chosen is for the clock to say, not for this test
    const kernel = matmulOperation.kernels.find(({ name }) => name === result.choice.kernel);
    expect(kernel).toBeDefined();
    const settings = settingsOf(use.operation, use.operation.kernels[0], use.params);
    expect(Object.keys(settings)).not.toHaveLength(0);
  });

  it('never chooses what computes something else', async () => {
    // A second kernel that is faster, since it does nothing but fill.
    const fake = { ...fill, name: 'fill' };
    const operation: Operation<ParamValues> = {
      ...use.operation,
      kernels: [...use.operation.kernels, fake as unknown as Operation<ParamValues>['kernels'][number]],
      run(target, choice, tensors, params) {
        if (choice.kernel !== 'fill') return matmulOperation.run?.(target, choice, tensors, params as never);
        launch(target, fill, { y: tensors.c }, { length: tensors.c.size, value: 0 });
      },
    };
    const result = await tune(device, { ...use, operation }, checkOf);
    expect(result.choice.kernel).not.toBe('fill');
    expect(result.rejected.some((text) => /^fill: .*expected/.test(text))).toBe(true);
  });

  // A wrong way writes one part of d_qkv, and its error is small beside what else the buffer might hold.
  it.each(Object.values(attentionBackwardOperations))(
    'notices that $name is slightly wrong',
    async (attention) => {
      const params = { batch: 2, seq_len: 33, heads: 2, head_dim: 64 };
      const all = attention as unknown as Operation<ParamValues>;
      const kernel = kernelOf(all, standardChoice(all, device, params));
      const untried = Object.keys(tunablesOf(kernel.name)).map((setting) => [setting, []]);
      const operation: Operation<ParamValues> = {
        name: all.name,
        kernels: [kernel],
        settings: () => ({ ...Object.fromEntries(untried), error: [0, 1] }),
        run(target, { settings }, tensors, size) {
          if (settings.error) tensors.log_sum_exp.write(shifted);
          launch(target, kernel, tensors, size);
          if (settings.error) tensors.log_sum_exp.write(right);
        },
      };
      const check = await checkOf(kernel.name);
      const right = check.inputs(params, new Philox(1)).log_sum_exp as Float32Array;
      const shifted = right.map((x) => x - Math.log(1.03)); // weights 3 % too large
      const result = await tune(device, { operation, params }, checkOf);
      expect(result.rejected).toHaveLength(1);
      expect(result.rejected[0]).toMatch(/ error=1: .*d_qkv.* expected/);
      expect(result.tried).toBe(0);
    },
  );

  it('compares the standard way with the reference as it is done, in parts', async () => {
    const operation: Operation<ParamValues> = {
      ...use.operation,
      standard: () => ({ kernel: 'matmul_workgroup', settings: { splits: 3 } }),
      run(target, choice, tensors, params) {
        matmulOperation.run?.(target, choice, tensors, params as never);
        if (choice.settings.splits)
          launch(target, fill, { y: tensors.c }, { length: tensors.c.size, value: 0 });
      },
    };
    await expect(tune(device, { ...use, operation }, checkOf)).rejects.toThrow(
      'matmul_workgroup {"splits":3} misses its float64 reference',
    );
  });

  it('tries no value that is what holds anyway', async () => {
    const operation = { name: 'norm', kernels: [normKernel] } as unknown as Operation<ParamValues>;
    expect(settingsOf(operation, operation.kernels[0], {}).LANES).toEqual([1, 8, 32, 64]); // 32 is the default
    const params = { rows: 50, columns: 64, eps: 1e-5 };
    const { tried, rejected } = await tune(device, { operation, params }, checkOf);
    expect(tried + rejected.length).toBe(3);
  });

  it('tells before and after by turns, so that a machine that slows down makes no gain look like a loss', async () => {
    // The second way takes a third of the time, on a machine that is a twentieth as fast from then on, by a clock that is put
    // forward: what else runs here is nothing beside it.
    const now = performance.now.bind(performance);
    let [slow, ahead] = [1, 0];
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
    const operation: Operation<ParamValues> = {
      ...use.operation,
      kernels: use.operation.kernels.filter(({ name }) => name === 'matmul'),
      standard: () => ({ kernel: 'matmul', settings: {} }),
      settings: () => ({ ROWS: [4], PACKS: [], GROUP: [] }),
      run(target, choice, tensors, params) {
        if (choice.settings.ROWS === 4) slow = 20;
        ahead += slow * (choice.settings.ROWS === 4 ? 1000 : 3000);
        launch(target, operation.kernels[0], tensors, params, choice.settings);
      },
    };
    try {
      const { choice, standardMs, ms } = await tune(device, { ...use, operation }, checkOf);
      expect(choice.settings).toEqual({ ROWS: 4 });
      expect(standardMs).toBeGreaterThan(2 * ms);
    } finally {
      clock.mockRestore();
    }
  });

  it('leaves a way that takes longer to compile than it will ever save', async () => {
    // The second way takes a fiftieth of the first one's time, and waits in compilation, by a clock that is put forward.
    let ahead = 0;
    const operation: Operation<ParamValues> = {
      ...use.operation,
      kernels: use.operation.kernels.filter(({ name }) => name === 'matmul'),
      standard: () => ({ kernel: 'matmul', settings: {} }),
      settings: () => ({ ROWS: [4], PACKS: [], GROUP: [] }),
      run(target, choice, tensors, params) {
        ahead += choice.settings.ROWS === 4 ? 20 : 1000;
        launch(target, operation.kernels[0], tensors, params, choice.settings);
      },
    };
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
    const program = device.program.bind(device);
    let compileMs = 0;
    const compile = vi.spyOn(device, 'program').mockImplementation((source, constants) => {
      const made = program(source, constants);
      if (constants.ROWS === 4)
        made.attempt = async () => {
          ahead += compileMs;
          return undefined;
        };
      return made;
    });
    try {
      expect((await tune(device, { ...use, operation }, checkOf)).choice.settings).toEqual({ ROWS: 4 });
      compileMs = 1e9;
      expect((await tune(device, { ...use, operation }, checkOf)).choice.settings).toEqual({});
    } finally {
      clock.mockRestore();
      compile.mockRestore();
    }
  });

  it.each([0, 30])('takes samples long enough where the end is noticed %i ms late', async (late) => {
    // A way takes a millisecond, and whoever waits for the end waits in vain for a while, of a clock that is put forward.
    let samples: number[] = [];
    const operation: Operation<ParamValues> = {
      ...use.operation,
      kernels: use.operation.kernels.filter(({ name }) => name === 'matmul'),
      standard: () => ({ kernel: 'matmul', settings: {} }),
      settings: () => ({ ROWS: [4], PACKS: [], GROUP: [] }),
      run(target, choice, tensors, params) {
        launch(target, operation.kernels[0], tensors, params, choice.settings);
        ahead += 1;
        samples[samples.length - 1] += 1;
      },
    };
    let ahead = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => ahead);
    const finish = device.stream.finish.bind(device.stream);
    const waits = vi.spyOn(device.stream, 'finish').mockImplementation(async () => {
      await finish();
      ahead += late;
      samples.push(0);
    });
    try {
      samples = [0];
      await tune(device, { ...use, operation }, checkOf);
    } finally {
      clock.mockRestore();
      waits.mockRestore();
    }
    const timed = Math.max(...samples);
    expect(samples.filter((runs) => runs === timed).length).toBeGreaterThan(7);
    expect(timed + late).toBeGreaterThanOrEqual(Math.max(8, 10 * late));
    expect(timed + late).toBeLessThanOrEqual(2 * Math.max(8, 10 * late));
  });
});
