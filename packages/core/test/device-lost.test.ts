import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Device, DeviceLostError, openDevice, Tensor, UserError, wrapDevice } from '../src/index.ts';

// A device each: losing it is the end of it.
let device: Device;
beforeEach(async () => {
  device = await openDevice();
});
afterEach(() => device.close());

const double = {
  name: 'double',
  text: `
struct Params { length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.length) { y[id.x] *= 2; }
}`,
};

function run(y: Tensor): void {
  const workgroups = [1, 1, 1] as const;
  y.device.run({ source: double, tensors: { y }, params: { length: y.size }, workgroups });
}

/** Rejects when `promise` takes longer than anything but a hang would. */
function promptly<T>(promise: Promise<T>): Promise<T> {
  const hang = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('still waiting')), 20_000).unref?.();
  });
  return Promise.race([promise, hang]);
}

const message = /^The GPU device was lost \(.+\), and what was on it with it\.$/;

async function expectLost(promise: Promise<unknown>): Promise<void> {
  const error = await promptly(promise).then(
    () => undefined,
    (error: Error) => error,
  );
  expect(error).toBeInstanceOf(DeviceLostError);
  expect(error).toBeInstanceOf(UserError); // programs print it without a stack trace
  expect(error?.message).toMatch(message);
}

describe('a device that was lost', () => {
  it('rejects the reads that were waiting', async () => {
    const y = Tensor.from(device, new Float32Array(8));
    run(y);
    const reads = [y.read(), y.read(), device.stream.finish()];
    device.gpu.destroy();
    await Promise.all(reads.map(expectLost));
  });

  it('rejects reads of work that was appended before and after', async () => {
    const y = Tensor.from(device, new Float32Array(8));
    run(y);
    device.gpu.destroy();
    run(y); // the loss is not known yet
    await expectLost(y.read());
    await expectLost(y.read());
    await expectLost(device.stream.finish());
  });

  it('drops work that waits for its turn, and rejects those who wait for it', async () => {
    device.submitMs = 1e-9; // a submit for each dispatch, of which few may be under way
    const y = Tensor.from(device, new Float32Array(8));
    const plan = device.record(() => {
      for (let i = 0; i < 200; i++) run(y);
    });
    plan.replay();
    const waiting = [y.read(), device.stream.finish(), device.stream.ready()];
    expect(device.stream.submits.full).toBe(true);
    device.gpu.destroy();
    await Promise.all(waiting.map(expectLost));
    expect(device.stream.submits.full).toBe(false);
    expect(() => plan.replay()).toThrow(DeviceLostError);
  });

  it('refuses later work with the same error', async () => {
    const y = Tensor.from(device, new Float32Array(8));
    device.gpu.destroy();
    await expectLost(y.read());
    expect(() => Tensor.empty(device, [2])).toThrow(DeviceLostError);
    expect(() => device.stream.flush()).toThrow(DeviceLostError);
    expect(() => device.check()).toThrow(message);
  });

  it('rejects although programs are still being compiled', async () => {
    const y = Tensor.from(device, new Float32Array(8));
    const source = { name: 'fresh', text: double.text };
    device.run({ source, tensors: { y }, params: { length: 8 }, workgroups: [1, 1, 1] });
    const read = y.read();
    device.gpu.destroy();
    await expectLost(read);
  });

  it("rejects although a plan's programs are still being compiled", async () => {
    const y = Tensor.from(device, new Float32Array(8));
    const source = { name: 'fresh', text: double.text };
    const plan = device.record(() =>
      device.run({ source, tensors: { y }, params: { length: 8 }, workgroups: [1, 1, 1] }),
    );
    plan.replay();
    const waiting = [y.read(), device.stream.ready()];
    device.gpu.destroy();
    await Promise.all(waiting.map(expectLost));
  });

  it('can still be closed', async () => {
    const y = Tensor.from(device, new Float32Array(8));
    run(y);
    device.gpu.destroy();
    await expectLost(y.read());
    device.close();
    expect(device.tensors.size).toBe(0);
  });

  it('is noticed also when its owner destroyed it', async () => {
    const adapter = await device.instance?.requestAdapter();
    const gpu = await adapter?.requestDevice();
    if (!gpu) throw new Error('no second device');
    const wrapped = wrapDevice(gpu);
    const y = Tensor.from(wrapped, new Float32Array(8));
    gpu.destroy();
    await expectLost(y.read());
    wrapped.close();
  });
});
