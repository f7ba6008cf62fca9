/** Where numbers cease to be numbers is named, be the work done at once or recorded. */
import { backward, type Device, openDevice, Tensor } from '@hrm-webgpu/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NonFiniteTrace, watchLaunches } from '../../src/checks.ts';
import { add, addBias, gradientRules, linear, mean, relu, softmax } from '../../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());
afterEach(() => {
  for (const tensor of [...device.tensors]) tensor.dispose();
});

const ones = (...shape: number[]) =>
  Tensor.from(device, new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape);
/** Ones, and `value` at one place. */
const onesBut = (at: number, value: number, ...shape: number[]) => {
  const tensor = ones(...shape);
  const data = new Float32Array(tensor.size).fill(1);
  data[at] = value;
  tensor.write(data);
  return tensor;
};
const LARGE = 3e38;

describe('NonFiniteTrace', () => {
  it('finds nothing in finite work, which has the bits that it has without', async () => {
    using trace = new NonFiniteTrace(device);
    const [x, w] = [ones(3, 5), ones(4, 5)];
    const plain = await softmax(linear(x, w)).readF32();
    const traced = trace.watch(() => device.scope(() => softmax(linear(x, w))));
    await trace.check();
    expect(await traced.readF32()).toEqual(plain);
    expect(await trace.first()).toBeUndefined();
  });

  it.each([
    ['at once', false],
    ['recorded', true],
  ])('names kernel, tensor, element and op where a sum overflows, %s', async (_, recorded) => {
    using trace = new NonFiniteTrace(device);
    const x = onesBut(7, LARGE, 3, 5);
    const work = () => addBias(relu(add(x, x)), ones(5));
    if (recorded) {
      const plan = trace.watch(() => device.record(work));
      await expect(trace.check()).resolves.toBeUndefined(); // nothing has run
      plan.replay();
    } else trace.watch(() => device.scope(work));
    await expect(trace.check('step 12')).rejects.toThrow(
      'step 12: add is the first to write Infinity, to c[1, 2] (launch 0, add.0)',
    );
    await expect(trace.check('step 13')).resolves.toBeUndefined(); // it has been told
  });

  it('finds in a replay what was not there in the one before', async () => {
    using trace = new NonFiniteTrace(device);
    const x = ones(6, 4);
    const plan = trace.watch(() => device.record(() => addBias(add(x, x), ones(4))));
    plan.replay();
    await trace.check();
    x.write(new Float32Array(24).fill(1).fill(-LARGE, 9, 10));
    plan.replay();
    expect(await trace.first()).toMatchObject({ kernel: 'add', binding: 'c', index: 9, value: '-Infinity' });
  });

  it('names a weight that is no number before anything runs', async () => {
    const weights = new Map([['embed.weight', onesBut(8, Number.NaN, 4, 5)]]);
    using trace = new NonFiniteTrace(device, weights);
    trace.watch(() => device.scope(() => linear(ones(3, 5), weights.get('embed.weight') as Tensor)));
    expect((await trace.first())?.text).toBe(
      'embed.weight holds NaN before it is used: transpose reads it as x[1, 3] (launch 0, transpose.0)',
    );
  });

  it('names the weight that an op reads in another layout', async () => {
    const head = ones(4, 5);
    using trace = new NonFiniteTrace(device, new Map([['head', head]]));
    head.write(new Float32Array(20).fill(10));
    trace.watch(() => device.scope(() => linear(onesBut(3, LARGE, 2, 5), head)));
    expect((await trace.first())?.text).toMatch(/, to c\[0, 0\] \(launch 1, linear\.0, with head\)$/);
  });

  it('names the gradient rule, and the weight of the launch', async () => {
    const weight = Tensor.from(device, new Float32Array(20).fill(LARGE), [4, 5], true);
    using trace = new NonFiniteTrace(device, new Map([['head', weight]]));
    const x = Tensor.from(device, new Float32Array(10).fill(1e-30), [2, 5], true);
    trace.watch(() =>
      device.scope(() => backward(device, [{ of: linear(x, weight), gradient: ones(2, 4) }], gradientRules)),
    );
    const found = await trace.first();
    expect(found).toMatchObject({ binding: 'c', index: 0, value: 'Infinity' });
    expect(found?.text).toMatch(
      /^matmul\w* is the first to write Infinity, to c\[0, 0\] \(launch \d+, linear\.0\.backward, with head\)$/,
    );
  });

  it('does not take what stood in memory before for a result', async () => {
    using trace = new NonFiniteTrace(device);
    const junk = Tensor.from(device, new Int32Array(64).fill(-100)); // NaN as f32
    const work = () => {
      const y = Tensor.empty(device, [64]);
      device.run({
        source: {
          name: 'writes_little',
          text: `struct Params { none: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[params.none] = 1.0; }`,
        },
        tensors: { y },
        params: { none: 0 },
        workgroups: [1, 1, 1],
      });
      return y;
    };
    junk.dispose();
    const y = work();
    expect((await y.read()).some(Number.isNaN)).toBe(true); // or this test shows nothing
    y.dispose();
    trace.watch(() => device.scope(work));
    await trace.check();
  });
});

describe('watchLaunches', () => {
  it('knows launches by the tape, their gradient rules, and by their kernels', () => {
    const [x, w] = [ones(3, 8), Tensor.from(device, new Float32Array(32).fill(1), [4, 8], true)];
    const { launches } = watchLaunches(device, () =>
      device.scope(() => backward(device, [{ of: mean(relu(linear(x, w))) }], gradientRules)),
    );
    const names = launches.map(({ name, output }) => [name, output]);
    expect(names).toEqual([
      ['transpose_packs.0', undefined],
      ['linear.0', 'c'],
      ['relu.0', 'y'],
      ['mean.0', 'y'],
      ['mean.0.backward', undefined],
      ['relu.0.backward', undefined],
      ['linear.0.backward', undefined],
    ]);
    expect(launches.map(({ command }) => command)).toEqual(Array(7).fill(undefined));
  });

  it('leaves the device as it was, also where the work fails', () => {
    const { run, acquire } = device;
    expect(() =>
      watchLaunches(device, () => {
        throw new Error('no work');
      }),
    ).toThrow('no work');
    expect([device.run, device.acquire]).toEqual([run, acquire]);
  });
});
