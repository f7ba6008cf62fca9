import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Device, openDevice, startProfile, Tensor, UserError } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const numbers = (...values: number[]) => Float32Array.from(values);

/** y = factor·x + step, element by element. */
const affine = {
  name: 'affine',
  text: `
struct Params { length: u32, factor: f32, step: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.length) { y[id.x] = params.factor * x[id.x] + params.step; }
}`,
};

function map(x: Tensor, factor: number, step: number, y = Tensor.empty(device, x.shape)): Tensor {
  const params = { length: x.size, factor, step };
  const workgroups = [Math.ceil(x.size / 64), 1, 1] as const;
  device.run({ source: affine, tensors: { x, y }, params, workgroups });
  return y;
}

/** Tensors of one number that take up what the pool has: 100, 101, … */
const fillPool = () => Array.from({ length: 6 }, (_, i) => Tensor.from(device, numbers(100 + i)));

let before: { live: number; tensors: number };
beforeAll(() => {
  before = { live: device.memory.liveBytes, tensors: device.tensors.size };
});
afterEach(() => {
  expect(device.tensors.size).toBe(before.tensors);
  expect(device.memory.liveBytes).toBe(before.live);
});

describe('a recorded step', () => {
  it('runs on the contents of outer tensors at the time of the replay', async () => {
    const x = Tensor.from(device, numbers(1, 2, 3));
    const plan = device.record(() => map(map(x, 2, 1), 10, 0));
    plan.replay();
    expect(await plan.result.readF32()).toEqual(numbers(30, 50, 70));
    x.write(numbers(0, 0, 1));
    plan.replay();
    plan.replay();
    expect(await plan.result.readF32()).toEqual(numbers(10, 10, 30));
    plan.dispose();
    x.dispose();
  });

  it('carries state on in outer tensors, in order with what is not recorded', async () => {
    const x = Tensor.from(device, numbers(1));
    const plan = device.record(() => x.assign(map(x, 2, 0)));
    for (let i = 0; i < 3; i++) plan.replay();
    map(
      x,
      1,
      1,
      device.scope(() => Tensor.empty(device, [1])),
    ).dispose();
    const y = map(x, 1, 1);
    plan.replay();
    expect(await x.readF32()).toEqual(numbers(16));
    expect(await y.readF32()).toEqual(numbers(9));
    plan.dispose();
    x.dispose();
    y.dispose();
  });

  it('leaves out what is on demand, unless it is asked for', async () => {
    const x = Tensor.from(device, numbers(1, 2));
    const seen = Tensor.from(device, numbers(0, 0));
    const body = () => {
      const y = map(x, 2, 0);
      device.onDemand(() => seen.assign(map(map(y, 1, 1), 10, 0)));
      x.assign(map(y, 1, 3));
    };
    const plan = device.record(body);
    plan.replay();
    plan.replay();
    expect(await seen.readF32()).toEqual(numbers(0, 0));
    plan.replay(true);
    plan.replay();
    expect(await seen.readF32()).toEqual(numbers(270, 350));
    expect(await x.readF32()).toEqual(numbers(61, 77));
    plan.dispose();
    device.scope(body); // outside of a recording it is done
    expect(await seen.readF32()).toEqual(numbers(1230, 1550));
    x.dispose();
    seen.dispose();
  });

  it('refuses to go on with what is there on demand only', () => {
    const x = Tensor.from(device, numbers(1));
    const record = () =>
      device.record(() => {
        const y = device.unscoped(() => Tensor.empty(device, [1]));
        device.onDemand(() => map(x, 2, 0, y));
        return map(y, 1, 0);
      });
    expect(record).toThrow(
      /affine: binding 'x' is read by every replay, but written by those alone that ask/,
    );
    x.dispose();
  });

  it('does nothing while it is recorded', async () => {
    const x = Tensor.from(device, numbers(5));
    const { dispatchCount } = device.stream;
    const y = Tensor.from(device, numbers(7));
    const plan = device.record(() => map(x, 1, 1, y.detach()) && undefined);
    expect(device.stream.dispatchCount).toBe(dispatchCount);
    expect(await y.readF32()).toEqual(numbers(7));
    plan.dispose();
    x.dispose();
    y.dispose();
  });

  it('shares memory between tensors that are never needed together', () => {
    const size = 100_000;
    const x = Tensor.from(device, new Float32Array(size));
    const { liveBytes } = device.memory;
    const plan = device.record(() =>
      device.scope(() => {
        let y = map(x, 1, 1);
        for (let i = 0; i < 20; i++) {
          const next = map(y, 1, 1);
          y.dispose();
          y = next;
        }
        return y;
      }),
    );
    // Two places by turns, the result, and the parameters, of which there is one set.
    expect(plan.commands).toHaveLength(21);
    expect(device.memory.liveBytes - liveBytes).toBeLessThanOrEqual(3 * (4 * size + 256) + 256);
    plan.dispose();
    x.dispose();
  });

  it('keeps host data written within it as constants', async () => {
    const x = Tensor.from(device, numbers(1));
    const plan = device.record(() => {
      const constant = Tensor.from(device, numbers(4));
      return [map(constant, 2, 0), map(x, 1, 0)];
    });
    plan.replay();
    plan.replay();
    expect(await plan.result[0].readF32()).toEqual(numbers(8));
    plan.dispose();
    x.dispose();
  });

  it('creates no WebGPU object in a replay but encoder and pass', async () => {
    const x = Tensor.from(device, numbers(1, 2));
    const plan = device.record(() => {
      const y = map(map(x, 2, 0), 3, 0);
      x.assign(map(y, 1, 1));
      return y;
    });
    plan.replay();
    await device.stream.finish();
    const made: string[] = [];
    const gpu = device.gpu as unknown as Record<string, unknown>;
    const prototype = Object.getPrototypeOf(gpu) as Record<string, unknown>;
    const names = Object.getOwnPropertyNames(prototype).filter((name) => name.startsWith('create'));
    expect(names).toContain('createBindGroup');
    for (const name of names) {
      const original = gpu[name] as (...args: unknown[]) => unknown;
      gpu[name] = (...args: unknown[]) => {
        made.push(name);
        return original.apply(gpu, args);
      };
    }
    for (let i = 0; i < 5; i++) plan.replay();
    for (const name of names) delete gpu[name];
    expect(made).toEqual(new Array(5).fill('createCommandEncoder'));
    plan.dispose();
    x.dispose();
  });

  it('is timed kernel by kernel like anything else', async () => {
    const x = Tensor.from(device, numbers(1));
    const plan = device.record(() => x.assign(map(x, 2, 0)));
    const stop = startProfile(device);
    for (let i = 0; i < 3; i++) plan.replay();
    const [time] = await stop();
    expect(time).toMatchObject({ name: 'affine', calls: 3 });
    expect(await x.readF32()).toEqual(numbers(8));
    plan.dispose();
    x.dispose();
  });
});

describe('what a plan needs', () => {
  it('stays out of the pool, even when its tensor is freed', async () => {
    const x = Tensor.from(device, numbers(7));
    const plan = device.record(() => map(x, 1, 0));
    x.dispose();
    const other = Tensor.from(device, numbers(9)); // would get x's buffer
    plan.replay();
    expect(await plan.result.readF32()).toEqual(numbers(7));
    other.dispose();
    plan.dispose();
  });

  it('stays out of the pool when its tensor is freed in the recording', async () => {
    const x = Tensor.from(device, numbers(5));
    const plan = device.record(() => {
      const y = map(x, 1, 1);
      x.dispose();
      return map(y, 2, 0);
    });
    const others = fillPool();
    plan.replay();
    expect(await plan.result.readF32()).toEqual(numbers(12));
    for (const other of others) other.dispose();
    plan.dispose();
  });

  it('stays out of the pool when it is the result of a plan that is gone', async () => {
    const x = Tensor.from(device, numbers(5));
    const first = device.record(() => map(x, 1, 0));
    first.replay();
    const second = device.record(() => map(first.result, 3, 0));
    first.dispose();
    const others = fillPool();
    second.replay();
    expect(await second.result.readF32()).toEqual(numbers(15));
    for (const tensor of [...others, x]) tensor.dispose();
    second.dispose();
  });

  it('goes back to the pool when the recording fails', () => {
    const x = Tensor.from(device, numbers(7));
    const body = () => {
      map(x, 1, 0);
      x.dispose();
      throw new Error('no more');
    };
    expect(() => device.record(body)).toThrow('no more');
  });

  it('goes back to the pool when there is no buffer as large as it needs', () => {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    const tooLarge = 1 + Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4;
    const x = Tensor.from(device, numbers(7));
    const body = () => [map(x, 1, 0), map(x, 1, 0, Tensor.empty(device, [tooLarge]))];
    expect(() => device.record(body)).toThrow(UserError);
    x.dispose();
  });

  it('is gone with it', () => {
    const x = Tensor.from(device, numbers(7));
    const plan = device.record(() => map(x, 1, 0));
    plan.dispose();
    plan.dispose();
    expect(() => plan.replay()).toThrow('this plan has been disposed of');
    expect(() => plan.result.buffer).toThrow('used after it was freed');
    x.dispose();
  });
});

describe('a result', () => {
  it('is not overwritten, while work on it waits, by what takes its memory', async () => {
    const x = Tensor.from(device, numbers(7));
    const copy = Tensor.from(device, numbers(0));
    const plan = device.record(() => [map(x, 1, 0), map(x, 2, 0)]);
    plan.replay();
    const y = map(plan.result[0], 1, 0);
    copy.assign(plan.result[1]);
    plan.dispose();
    const others = fillPool();
    expect(await y.readF32()).toEqual(numbers(7));
    expect(await copy.readF32()).toEqual(numbers(14));
    for (const tensor of [...others, x, y, copy]) tensor.dispose();
  });

  it('outlives the plan where its memory is used otherwise', async () => {
    const x = Tensor.from(device, numbers(7));
    const plan = device.record(() => map(x, 1, 0));
    plan.replay();
    const y = plan.result.detach();
    plan.dispose();
    const others = fillPool();
    expect(await y.readF32()).toEqual(numbers(7));
    for (const tensor of [...others, x, y]) tensor.dispose();
  });

  it('may be freed before the plan, which goes on', async () => {
    const x = Tensor.from(device, numbers(7));
    const plan = device.record(() => {
      const y = map(x, 1, 0);
      x.assign(map(y, 2, 0));
      return y;
    });
    plan.result.dispose();
    const others = fillPool();
    plan.replay();
    plan.replay();
    expect(await x.readF32()).toEqual(numbers(28));
    expect(await others[0].readF32()).toEqual(numbers(100));
    for (const tensor of [...others, x]) tensor.dispose();
    plan.dispose();
  });
});

describe('a recording refuses', () => {
  const refuses = (body: (x: Tensor) => unknown, message: string) => {
    const x = Tensor.from(device, numbers(1));
    expect(() => device.record(() => body(x))).toThrow(message);
    expect(device.stream.recording).toBeUndefined();
    x.dispose();
  };
  it('host data for tensors from outside', () =>
    refuses((x) => x.write(numbers(2)), 'write it before the replay'));
  it('host data for what it has used', () =>
    refuses((x) => map(x, 1, 0).write(numbers(2)), 'write it before the replay'));
  it('writing over a constant', () =>
    refuses((x) => map(x, 1, 0, Tensor.from(device, numbers(2))), "binding 'y' is written, but holds data"));
  it('reading what nothing has written', () =>
    refuses(() => map(Tensor.empty(device, [1]), 1, 0), "binding 'x' is read, but nothing"));
  it('the replay of a plan', async () => {
    const x = Tensor.from(device, numbers(1));
    const plan = device.record(() => x.assign(map(x, 2, 0)));
    refuses(() => plan.replay(), 'a recording cannot replay a plan');
    expect(await x.readF32()).toEqual(numbers(1));
    plan.dispose();
    x.dispose();
  });
  it('a recording within it', () => refuses(() => device.record(() => 0), 'a recording within a recording'));

  it('reading results', async () => {
    const x = Tensor.from(device, numbers(1));
    let reading: Promise<unknown> = Promise.resolve();
    const plan = device.record(() => {
      reading = x.read();
    });
    await expect(reading).rejects.toThrow('a recording cannot read');
    plan.dispose();
    x.dispose();
  });
});
