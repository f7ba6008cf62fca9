import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, GpuError, openDevice, parseShader, specialize, Tensor } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const numbers = (...values: number[]) => Float32Array.from(values);

/** y ← factor·y + step, element by element. */
const affine = {
  name: 'affine',
  text: `
const GROUP: u32 = 64; // tune: 32 64
const OFFSET: f32 = 0;
alias number = f32;
struct Params {
  length: u32, // numbers in y
  factor: f32, step: f32, first: i32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<number>;
@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.length || i32(id.x) < params.first) { return; }
  y[id.x] = params.factor * y[id.x] + params.step + OFFSET;
}`,
};

describe('launches', () => {
  const params = { length: 1, factor: 1, step: 1, first: 0 };
  const y = () => Tensor.from(device, numbers(1));

  /** A launch that is right but for `change`. */
  const launch = (change: Partial<Parameters<Device['run']>[0]>) => () => {
    const y = Tensor.from(device, numbers(1));
    try {
      device.run({
        source: affine,
        tensors: { y },
        params,
        workgroups: [1, 1, 1],
        ...change,
      });
    } finally {
      y.dispose();
    }
  };
  it('name the binding that is missing or unknown', () => {
    expect(launch({ tensors: {} })).toThrow("affine: no tensor given for binding 'y'");
    device.scope(() => {
      const tensors = { y: y(), z: y() };
      expect(launch({ tensors })).toThrow('affine: got tensors for y, z; its bindings are y');
      expect(launch({ tensors: { z: y() } })).toThrow("affine: no tensor given for binding 'y'");
    });
  });

  it('name the parameter that is missing, unknown or no number', () => {
    const { step: _, ...withoutStep } = params;
    expect(launch({ params: withoutStep })).toThrow(
      "affine: parameter 'step' must be a number, got undefined",
    );
    expect(launch({ params: { ...params, rate: 1 } })).toThrow("affine: unknown parameter 'rate'");
    expect(launch({ params: { ...params, step: Number.NaN } })).toThrow("affine: parameter 'step' must be");
  });

  it('name the constant that the shader does not have', () => {
    expect(launch({ constants: { GROPU: 32 } })).toThrow(
      "affine.wgsl has no constant 'GROPU' (it has: GROUP, OFFSET, number)",
    );
  });

  it('refuse a grid that the device does not allow', () => {
    const limit = device.limits.maxComputeWorkgroupsPerDimension;
    expect(launch({ workgroups: [1, limit + 1, 1] })).toThrow(
      `affine: a grid of 1×${limit + 1}×1 workgroups; each dimension must be a whole number of at most ${limit}`,
    );
    expect(launch({ workgroups: [0.5, 1, 1] })).toThrow('affine: a grid of 0.5×1×1 workgroups');
  });

  it('with an empty grid do nothing, and refused ones leave the device in working order', async () => {
    const before = device.stream.dispatchCount;
    const x = y();
    launch({ tensors: { y: x }, workgroups: [1, 0, 1] })();
    expect(launch({ tensors: { y: x }, params: {} })).toThrow();
    expect(launch({ tensors: { y: x }, workgroups: [1, 1, 2 ** 20] })).toThrow();
    expect(device.stream.dispatchCount).toBe(before);
    launch({ tensors: { y: x }, params: { ...params, factor: 2, step: 5 } })();
    expect([...(await x.read())]).toEqual([7]);
    x.dispose();
  });
});

describe('parseShader and specialize', () => {
  it('read what a file declares', () => {
    expect(parseShader(affine.name, affine.text)).toEqual({
      bindings: [{ name: 'y', index: 1, access: 'read_write' }],
      params: [
        { name: 'length', type: 'u32' },
        { name: 'factor', type: 'f32' },
        { name: 'step', type: 'f32' },
        { name: 'first', type: 'i32' },
      ],
      constants: new Map([
        ['GROUP', { name: 'GROUP', value: '64', candidates: ['32', '64'] }],
        ['OFFSET', { name: 'OFFSET', value: '0', candidates: [] }],
        ['number', { name: 'number', value: 'f32', candidates: [] }],
      ]),
    });
  });

  it.each([
    [
      'no parameters',
      affine.text.replace('struct Params', 'struct Other'),
      "affine.wgsl: needs 'struct Params'",
    ],
    [
      'no uniform',
      affine.text.replace('var<uniform> params', 'var<uniform> p'),
      "affine.wgsl: needs 'struct Params'",
    ],
    [
      'a gap',
      affine.text.replace('@binding(1)', '@binding(2)'),
      "affine.wgsl: binding 'y' has index 2, expected 1",
    ],
    [
      'a vector',
      affine.text.replace('step: f32', 'step: vec2<f32>'),
      "affine.wgsl: parameter 'step: vec2<f32>' is",
    ],
  ])('refuse a file with %s', (_, text, message) => {
    expect(text).not.toBe(affine.text);
    expect(() => parseShader(affine.name, text)).toThrow(message);
  });

  it('replace constants and nothing else, line by line', () => {
    const text = specialize(affine.name, affine.text, { GROUP: 32, number: 'i32' });
    const changed = text.split('\n').filter((line, i) => line !== affine.text.split('\n')[i]);
    expect(changed).toEqual(['const GROUP: u32 = 32; // tune: 32 64', 'alias number = i32;']);
    expect(() =>
      specialize('none', 'struct Params { a: u32 }\n@group(0) @binding(0) var<uniform> params: Params;', {
        A: 1,
      }),
    ).toThrow("none.wgsl has no constant 'A' (it has: none)");
  });

  it('constants make programs of their own', async () => {
    const y = Tensor.from(device, numbers(1));
    for (const OFFSET of [10, 100, 10]) {
      const params = { length: 1, factor: 1, step: 0, first: 0 };
      device.run({ source: affine, constants: { OFFSET }, tensors: { y }, params, workgroups: [1, 1, 1] });
    }
    expect([...(await y.read())]).toEqual([121]);
    y.dispose();
  });
});

describe('a shader that does not compile', () => {
  /** The error of the first read after running `text` on a device of its own: it ends the device's use. */
  async function failure(name: string, text: string, constants = {}, recorded = false): Promise<Error> {
    const own = await openDevice();
    try {
      const y = Tensor.from(own, numbers(1));
      const params = { length: 1, factor: 1, step: 1, first: 0 };
      const run = () =>
        own.run({ source: { name, text }, constants, tensors: { y }, params, workgroups: [1, 1, 1] });
      if (recorded) own.record(run).replay();
      else run();
      const error = await y.read().then(
        () => undefined,
        (error: Error) => error,
      );
      if (!error) throw new Error('the read went through');
      expect(() => Tensor.from(own, numbers(1))).toThrow(error.message);
      await expect(y.read()).rejects.toThrow(error.message);
      return error;
    } finally {
      own.close();
    }
  }

  it.each([
    ['run', false],
    ['recorded', true],
  ])('is shown with file, line, column, source and caret when it is %s', async (_, recorded) => {
    const text = affine.text.replace('params.factor', 'factr');
    const error = await failure('typo', text, { OFFSET: 2 }, recorded);
    expect(error).toBeInstanceOf(GpuError);
    const lines = error.message.split('\n');
    const line = '  y[id.x] = factr * y[id.x] + params.step + OFFSET;';
    const number = text.split('\n').indexOf(line) + 1;
    // Where the name that does not exist stands, as a person counts: from 1.
    const column = line.indexOf('factr') + 1;
    expect(lines[0]).toMatch(new RegExp(`^typo\\.wgsl:${number}:${column}: .*factr`));
    expect(lines).toContain(`  ${number} | ${line}`);
    expect(lines).toContain(`     | ${' '.repeat(column - 1)}^`);
    expect(error.message).toContain('(constants: {"OFFSET":2})');
  });

  it.each([
    ['run', false],
    ['recorded', true],
  ])('is named when the compiler has nothing to say about a line and it is %s', async (_, recorded) => {
    const error = await failure('large', affine.text, { GROUP: 65_536 }, recorded);
    expect(error).toBeInstanceOf(GpuError);
    expect(error.message).toMatch(/^large\.wgsl \(constants: \{"GROUP":65536\}\): .*65536/);
  });

  it('is said to have no entry point', async () => {
    const text = affine.text.replace('fn main', 'fn other');
    const error = await failure('no_main', text, { GROUP: 32 }, false);
    expect(error.message).toBe("no_main.wgsl: has no entry point 'fn main(…)'");
  });
});
