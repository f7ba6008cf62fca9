/** What reaches the GPU when: length and number of submits, uploads, and when a platform that polls notices the end. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Device, Tensor, UserError, wrapDevice } from '../src/index.ts';
import { resumeTime, settled, stopTime } from './fake-clock.ts';
import { FakeGpu, type FakeGpuOptions } from './fake-gpu.ts';

beforeEach(stopTime);
afterEach(() => {
  vi.restoreAllMocks();
  resumeTime();
});

/** Takes `ms` for each of its `count` items. */
const kernel = (name: string) => ({
  name,
  text: `
struct Params { first: u32, count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] += f32(params.count); }`,
});

/** A GPU of one GFLOP/s: a million FLOPs a millisecond. */
const FLOPS_PER_MS = 1e6;

function open(options: Partial<FakeGpuOptions> = {}): { gpu: FakeGpu; device: Device; y: Tensor } {
  const gpu = new FakeGpu({ dispatchMs: ({ params }) => params.count / 1000, ...options });
  const device = wrapDevice(gpu.device);
  return { gpu, device, y: Tensor.empty(device, [1]) };
}

/** Appends a dispatch that takes `ms` in all, of items that take a microsecond each. */
function work(y: Tensor, ms: number, { name = 'work', step = 0 } = {}): void {
  const items = 1000 * ms;
  const part = (first: number, count: number) => ({
    params: { first, count },
    workgroups: [1, 1, 1] as const,
    work: { flops: (count / 1000) * FLOPS_PER_MS, bytes: 0 },
  });
  const division = step > 0 ? { items, step, part } : undefined;
  y.device.run({ source: kernel(name), tensors: { y }, ...part(0, items), division });
}

const msOf = ({ submits }: FakeGpu, from = 0) => submits.slice(from).map(({ start, end }) => end - start);

/** Lets the device find out how fast the GPU is. */
async function calibrate({ device, y }: { device: Device; y: Tensor }, names = ['work']): Promise<void> {
  for (const name of names) {
    for (let i = 0; i < 60; i++) {
      work(y, 20, { name });
      await settled(device.stream.finish());
    }
  }
}

describe('work', () => {
  it('is cut into submits of the length allowed, op by op as well as replayed', async () => {
    const opened = open();
    const { gpu, device, y } = opened;
    await calibrate(opened);
    const step = () => {
      for (let i = 0; i < 100; i++) work(y, 7);
    };
    const plan = device.record(step);
    for (const run of [step, () => plan.replay()]) {
      const from = gpu.submits.length;
      run();
      await settled(device.stream.finish());
      const times = msOf(gpu, from);
      expect(times.reduce((a, b) => a + b)).toBeCloseTo(700);
      expect(Math.max(...times)).toBeLessThan(105);
      expect(times.length).toBeLessThan(10);
    }
    device.submitMs = 20;
    const from = gpu.submits.length;
    plan.replay();
    await settled(device.stream.finish());
    expect(Math.max(...msOf(gpu, from))).toBeLessThanOrEqual(21);
    device.close();
  });

  it('begins with small submits: the GPU may be slow', async () => {
    const { gpu, device, y } = open({ dispatchMs: ({ params }) => params.count / 1e6 }); // one TFLOP/s
    const plan = device.record(() => {
      for (let i = 0; i < 2000; i++) work(y, 1000); // a millisecond each, on this one
    });
    plan.replay();
    await settled(device.stream.finish());
    const times = msOf(gpu);
    expect(times[0]).toBeLessThan(15);
    expect(Math.max(...times)).toBeLessThan(110);
    expect(times.slice(-3, -1).every((ms) => ms > 80)).toBe(true);
    device.close();
  });

  it('waits while enough is under way, and whoever appends does not', async () => {
    const opened = open();
    const { gpu, device, y } = opened;
    await calibrate(opened);
    gpu.mostUnderWay = 0;
    const from = gpu.submits.length;
    for (let i = 0; i < 1000; i++) work(y, 5);
    expect(gpu.submits.length - from).toBeLessThan(4);
    await settled(device.stream.finish());
    expect(msOf(gpu, from).reduce((a, b) => a + b)).toBeCloseTo(5000);
    expect(gpu.mostUnderWay).toBeLessThan(4);
    const { start } = gpu.submits[from];
    const { end } = gpu.submits[gpu.submits.length - 1];
    expect(end - start).toBeLessThan(5010); // the GPU never waited
    device.close();
  });

  it('of next to no length is bounded in number', async () => {
    const { gpu, device, y } = open({ dispatchMs: () => 0.01 });
    for (let i = 0; i < 500; i++) {
      work(y, 0.001);
      device.stream.flush();
    }
    await settled(device.stream.finish());
    expect(gpu.submits).toHaveLength(500);
    expect(gpu.mostUnderWay).toBe(16);
    device.close();
  });

  it('is waited for by those who would run ahead', async () => {
    const opened = open();
    const { device, y } = opened;
    await calibrate(opened);
    const start = performance.now();
    for (let i = 0; i < 20; i++) {
      work(y, 90);
      await settled(device.stream.ready());
    }
    // 1800 ms of work, of which 300 may be under way.
    expect(performance.now() - start).toBeGreaterThan(1400);
    expect(performance.now() - start).toBeLessThan(1700);
    device.close();
  });

  it('is slower after a while: submits follow', async () => {
    let slow = 1;
    const opened = open({ dispatchMs: ({ params }) => (slow * params.count) / 1000 });
    const { gpu, device, y } = opened;
    await calibrate(opened);
    slow = 8;
    const plan = device.record(() => {
      for (let i = 0; i < 2000; i++) work(y, 1);
    });
    plan.replay();
    await settled(device.stream.finish());
    expect(
      msOf(gpu)
        .slice(-5, -1)
        .every((ms) => ms > 60 && ms < 110),
    ).toBe(true);
    device.close();
  });
});

describe('a dispatch that takes too long', () => {
  it('is done in parts where it can be, each item once', async () => {
    const opened = open();
    const { gpu, device, y } = opened;
    await calibrate(opened);
    const step = () => work(y, 1000, { step: 50 });
    const plan = device.record(step);
    for (const run of [step, () => plan.replay(), () => plan.replay()]) {
      const from = gpu.submits.length;
      run();
      await settled(device.stream.finish());
      const parts = gpu.submits.slice(from).flatMap(({ dispatches }) => dispatches);
      expect(parts).toHaveLength(16);
      let next = 0;
      for (const { params } of parts) {
        expect(params.first).toBe(next);
        expect(params.first % 50).toBe(0);
        next += params.count;
      }
      expect(next).toBe(1e6);
      expect(Math.max(...msOf(gpu, from))).toBeLessThan(110);
    }
    device.close();
  });

  it('is reported once where it cannot be', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const opened = open();
    const { device, y } = opened;
    await calibrate(opened, ['whole', 'coarse']);
    expect(warn).not.toHaveBeenCalled();
    for (let i = 0; i < 6; i++) {
      work(y, 300, { name: 'whole' });
      work(y, 300, { name: 'coarse', step: 150_000 });
      if (i === 1) expect(warn).not.toHaveBeenCalled(); // what has not been seen is not said
      await settled(device.stream.finish());
    }
    const said = warn.mock.calls.map(([text]) => String(text)).sort();
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(
      /^coarse: one dispatch takes about 150 ms \(submitMs is 100\) and cannot be divided/,
    );
    expect(said[1]).toMatch(/^whole: one dispatch takes about 300 ms/);
    device.close();
  });
});

describe('submitMs', () => {
  it('is 100 unless it is given, and must be positive', () => {
    const { gpu, device } = open();
    expect(device.submitMs).toBe(100);
    expect(wrapDevice(gpu.device, { submitMs: 30 }).submitMs).toBe(30);
    for (const ms of [0, -1, Number.NaN]) {
      expect(() => wrapDevice(gpu.device, { submitMs: ms })).toThrow(UserError);
      expect(() => {
        device.submitMs = ms;
      }).toThrow(`submitMs is ${ms}, expected a positive number of milliseconds`);
    }
    device.close();
  });
});

describe('uploads', () => {
  const MIB = 2 ** 20;
  // What uploads hold aside is free again when the platform has looked.
  const slowly = { noticeEveryMs: 5 };

  it('are submitted now and then, and few bytes are on their way while those wait who can', async () => {
    const { gpu, device } = open(slowly);
    const x = Tensor.empty(device, [64 * MIB]);
    async function* pieces() {
      for (let i = 0; i < 64; i++) yield new Float32Array(MIB);
    }
    await settled(x.writePieces(pieces()));
    await settled(device.stream.finish());
    expect(gpu.submits.reduce((sum, { stagedBytes }) => sum + stagedBytes, 0)).toBe(256 * MIB);
    expect(Math.max(...gpu.submits.map(({ stagedBytes }) => stagedBytes))).toBeLessThanOrEqual(8 * MIB);
    expect(gpu.mostStagedBytes).toBeLessThanOrEqual(32 * MIB);
    device.close();
  });

  it('of one large array as well', async () => {
    const { gpu, device } = open(slowly);
    Tensor.from(device, new Float32Array(64 * MIB));
    await settled(device.stream.finish());
    expect(gpu.submits.reduce((sum, { stagedBytes }) => sum + stagedBytes, 0)).toBe(256 * MIB);
    expect(gpu.mostStagedBytes).toBeLessThanOrEqual(32 * MIB);
    device.close();
  });
});

describe('a platform that looks every 100 ms whether work is done', () => {
  const polls = { noticeEveryMs: 100 };

  it('is nudged while something waits', async () => {
    const { gpu, device, y } = open(polls);
    await settled(y.read()); // finds out what the platform does
    for (let i = 0; i < 5; i++) {
      work(y, 7);
      const start = performance.now();
      await settled(y.read());
      expect(performance.now() - start).toBeLessThanOrEqual(10);
    }
    const { nudges } = gpu;
    await vi.advanceTimersByTimeAsync(500);
    expect(gpu.nudges).toBe(nudges); // only while something waits
    device.close();
  });

  it('does not hold up a queue, whether anybody waits or not', async () => {
    const opened = open(polls);
    const { gpu, device, y } = opened;
    await calibrate(opened);
    const from = gpu.submits.length;
    for (let i = 0; i < 100; i++) work(y, 10);
    await vi.advanceTimersByTimeAsync(1050);
    expect(gpu.submits[gpu.submits.length - 1].start - gpu.submits[from].start).toBeLessThan(1000);
    device.close();
  });

  it('does not spoil predictions', async () => {
    const opened = open(polls);
    const { gpu, device, y } = opened;
    await calibrate(opened);
    const from = gpu.submits.length;
    for (let i = 0; i < 100; i++) work(y, 10);
    await settled(device.stream.finish());
    expect(Math.max(...msOf(gpu, from))).toBeLessThanOrEqual(110);
    expect(Math.min(...msOf(gpu, from).slice(0, -1))).toBeGreaterThanOrEqual(80);
    device.close();
  });
});

it('a platform that notices at once is nudged only until that is known', async () => {
  const { gpu, device, y } = open();
  work(y, 20);
  await settled(y.read());
  const { nudges } = gpu;
  for (let i = 0; i < 5; i++) {
    work(y, 50);
    await settled(y.read());
  }
  expect(gpu.nudges).toBe(nudges);
  device.close();
});

describe("a plan's pipelines", () => {
  const names = ['a', 'b', 'c'];
  const record = ({ device, y }: { device: Device; y: Tensor }) =>
    device.record(() => {
      for (let i = 0; i < 2; i++) for (const name of names) work(y, 1, { name });
    });

  it('are compiled side by side before its first replay, and what follows waits its turn', async () => {
    const opened = open({ compileMs: 500 });
    const { gpu, device, y } = opened;
    const plan = device.record(() => {
      for (let i = 0; i < 2; i++) for (const name of names) work(y, 1, { name });
      expect(gpu.compiled).toEqual(names.map(() => 'beside others')); // already
    });
    plan.replay();
    work(y, 1, { name: 'a' }); // of its own accord: compiled at once, but not ahead of the plan
    device.stream.flush();
    expect(gpu.submits).toEqual([]);
    const start = performance.now();
    await settled(device.stream.finish());
    expect(gpu.submits[0].start - start).toBe(500);
    const dispatched = gpu.submits.flatMap(({ dispatches }) => dispatches.map(({ name }) => name));
    expect(dispatched).toEqual([...names, ...names, 'a']);
    plan.replay();
    const again = record(opened);
    again.replay();
    await settled(device.stream.finish());
    expect(gpu.compiled).toEqual([...names.map(() => 'beside others'), 'at once']);
    device.close();
  });

  it('are compiled at once where they cannot be waited for', async () => {
    const opened = open({ compileMs: 500 });
    const { gpu, device } = opened;
    record(opened).replay();
    device.trim();
    expect(gpu.submits.flatMap(({ dispatches }) => dispatches)).toHaveLength(6);
    await settled(device.stream.finish());
    device.close();
  });
});

describe('a device that is closed', () => {
  it('drops what waits, and says so to whoever waits for it', async () => {
    const opened = open();
    const { gpu, device, y } = opened;
    await calibrate(opened);
    for (let i = 0; i < 100; i++) work(y, 50);
    const waiting = [y.read(), device.stream.finish(), device.stream.ready()];
    const failures = waiting.map((promise) => expect(promise).rejects.toThrow('the device was closed'));
    const submitted = gpu.submits.length;
    device.close();
    await Promise.all(failures);
    await vi.advanceTimersByTimeAsync(1000);
    expect(gpu.submits).toHaveLength(submitted);
  });
});

it('memory that is given back at once is not needed by work that waits', async () => {
  const opened = open();
  const { gpu, device, y } = opened;
  await calibrate(opened);
  const destroyed: string[] = [];
  const x = Tensor.empty(device, [1000]);
  const buffer = x.buffer.gpu;
  buffer.destroy = () => {
    destroyed.push(`after ${gpu.submits.length - from} submits`);
  };
  const from = gpu.submits.length;
  for (let i = 0; i < 9; i++) work(i < 8 ? y : x, 90);
  x.dispose();
  device.trim();
  expect(destroyed).toEqual(['after 9 submits']);
  device.close();
});
