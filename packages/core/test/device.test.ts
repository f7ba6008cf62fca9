import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BufferUsage, MapMode } from '../src/constants.ts';
import { type Device, openDevice, Philox, Tensor, UserError, wrapDevice } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
// Every test frees what it made: anything else that is left is a leak of the engine.
afterEach(() => {
  const left = [...device.tensors];
  for (const tensor of left) tensor.dispose(); // so that one failure is one failure
  expect(left.map(({ shape }) => shape)).toEqual([]);
});
afterAll(() => device.close());

/** A second GPUDevice, with WebGPU's default limits, as a caller of wrapDevice would bring it along. */
async function bareDevice(): Promise<GPUDevice> {
  const adapter = await device.instance?.requestAdapter();
  if (!adapter) throw new Error('the instance that gave an adapter a moment ago gives none');
  return adapter.requestDevice();
}

/** y ← factor·y + step, element by element: repeated runs tell their order and number. */
const affine = {
  name: 'affine',
  text: `
const GROUP: u32 = 64;
struct Params { length: u32, factor: f32, step: f32, first: i32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.length || i32(id.x) < params.first) { return; }
  y[id.x] = params.factor * y[id.x] + params.step;
}`,
};

function runAffine(y: Tensor, factor: number, step: number, first = 0): void {
  y.device.run({
    source: affine,
    tensors: { y },
    params: { length: y.size, factor, step, first },
    workgroups: [Math.ceil(y.size / 64), 1, 1],
  });
}

const numbers = (...values: number[]) => Float32Array.from(values);

describe('memory accounting', () => {
  /** Counts what a GPUDevice really creates and destroys. */
  function countBuffers(gpu: GPUDevice) {
    const counted = { bytes: 0, buffers: 0, created: 0, peak: 0 };
    const create = gpu.createBuffer.bind(gpu);
    gpu.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      counted.bytes += descriptor.size;
      counted.buffers += 1;
      counted.created += 1;
      counted.peak = Math.max(counted.peak, counted.bytes);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        counted.bytes -= descriptor.size;
        counted.buffers -= 1;
        destroy();
      };
      return buffer;
    };
    return counted;
  }

  it('counts every buffer: tensors, parameters, readbacks', async () => {
    const gpu = await bareDevice();
    const counted = countBuffers(gpu);
    const wrapped = wrapDevice(gpu);
    const expectSame = () => {
      const { totalBytes, peakBytes, buffers } = wrapped.memory;
      expect({ totalBytes, peakBytes, buffers }).toEqual({
        totalBytes: counted.bytes,
        peakBytes: counted.peak,
        buffers: counted.buffers,
      });
    };
    expectSame();
    const a = Tensor.from(wrapped, new Float32Array(1000));
    const b = Tensor.empty(wrapped, [3, 5, 7]);
    runAffine(a, 1, 1);
    expectSame();
    expect(wrapped.memory.liveBytes).toBe(wrapped.memory.totalBytes);
    await a.read(); // through a staging buffer, which is kept
    expectSame();
    expect(wrapped.memory.totalBytes - wrapped.memory.liveBytes).toBe(4096);
    a.dispose();
    wrapped.trim();
    expectSame();
    Tensor.empty(wrapped, [1]).dispose(); // more than after trimming, less than the peak
    expectSame();
    expect(wrapped.memory.peakBytes).toBeGreaterThan(wrapped.memory.totalBytes);
    wrapped.trim();
    wrapped.resetPeakMemory();
    counted.peak = counted.bytes;
    expectSame();
    const c = Tensor.empty(wrapped, [100_000]);
    expectSame();
    for (const tensor of [b, c]) tensor.dispose();
    wrapped.close();
    expect(counted).toMatchObject({ bytes: 0, buffers: 0 });
    expectSame();
    gpu.destroy();
  });

  it('reuses buffers of nearly equal size, and creates none for that', async () => {
    const gpu = await bareDevice();
    const counted = countBuffers(gpu);
    const wrapped = wrapDevice(gpu);
    const step = async () => {
      const y = wrapped.scope(() => {
        const x = Tensor.from(wrapped, new Float32Array(70));
        const y = Tensor.from(wrapped, new Float32Array(60));
        runAffine(x, 1, 1);
        runAffine(y, 1, 1);
        return y;
      });
      await y.read();
      y.dispose();
    };
    await step();
    const { created } = counted;
    expect(created).toBe(4); // parameters, x, y, readback
    for (let i = 0; i < 5; i++) await step();
    expect(counted.created).toBe(created);
    // 65 … 128 numbers share the size that 70 had.
    const x = Tensor.empty(wrapped, [128]);
    expect(counted.created).toBe(created);
    const z = Tensor.empty(wrapped, [129]);
    expect(counted.created).toBe(created + 1);
    for (const tensor of [x, z]) tensor.dispose();
    wrapped.close();
    gpu.destroy();
  });

  it('a tensor that could not be filled is not left behind', () => {
    const { liveBytes } = device.memory;
    expect(() => Tensor.from(device, numbers(1, 2, 3), [2])).toThrow(UserError);
    expect(device.memory.liveBytes).toBe(liveBytes);
  });
});

describe('order of work', () => {
  it('uploads between dispatches take effect between them', async () => {
    const x = Tensor.from(device, numbers(1, 2));
    runAffine(x, 10, 1);
    const first = x.read();
    x.write(numbers(3, 4));
    runAffine(x, 10, 2);
    const second = x.read();
    expect([...(await first), ...(await second)]).toEqual([11, 21, 32, 42]);
    x.dispose();
  });

  it('the same without a read in between: copies made on the device keep both results', async () => {
    const [x, kept] = [Tensor.from(device, numbers(1)), Tensor.empty(device, [1])];
    runAffine(x, 10, 1);
    device.stream.copy(x.buffer, kept.buffer, 4);
    x.write(numbers(3));
    runAffine(x, 10, 2);
    expect([...(await kept.read()), ...(await x.read())]).toEqual([11, 32]);
    for (const tensor of [x, kept]) tensor.dispose();
  });

  it('memory that is reused while its last use is still pending is written after that use', async () => {
    const sum = Tensor.from(device, numbers(0));
    const add = {
      name: 'add_first',
      text: `
struct Params { unused: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;
@compute @workgroup_size(1) fn main() { sum[0] = 10 * sum[0] + x[0] + f32(params.unused); }`,
    };
    const buffers = new Set<number>();
    for (const digit of [1, 2, 3, 4]) {
      const x = Tensor.from(device, numbers(digit));
      buffers.add(x.buffer.id);
      device.run({ source: add, tensors: { x, sum }, params: { unused: 0 }, workgroups: [1, 1, 1] });
      x.dispose();
    }
    expect(buffers.size).toBe(1);
    expect([...(await sum.read())]).toEqual([1234]);
    sum.dispose();
  });

  it('more dispatches than fit one batch, each with its own parameters', async () => {
    const before = device.stream.dispatchCount;
    const y = Tensor.from(device, new Float32Array(70));
    const count = 1300; // 512 fit a batch
    let expected = 0;
    let last = 0; // the same for the last element alone
    for (let i = 0; i < count; i++) {
      // Sums stay below 2^24, where f32 counts exactly.
      runAffine(y, i % 7 === 0 ? -1 : 1, i, i % 2 === 0 ? 0 : 69);
      last = (i % 7 === 0 ? -1 : 1) * last + i;
      if (i % 2 === 0) expected = (i % 7 === 0 ? -1 : 1) * expected + i;
    }
    const found = await y.read();
    expect([found[0], found[68], found[69]]).toEqual([expected, expected, last]);
    expect(device.stream.dispatchCount - before).toBe(count);
    y.dispose();
  });

  it('work of all kinds keeps its order, however finely it is cut and whoever waits', async () => {
    const random = new Philox(5);
    const opened = await openDevice({ submitMs: 1e-9 });
    const x = Tensor.from(opened, numbers(1, 2, 3));
    const y = Tensor.from(opened, numbers(0, 0, 0));
    // On whole numbers below 2^24, where f32 counts exactly.
    const affineHost = (values: number[], factor: number, step: number) =>
      values.map((value) => factor * value + step);
    let [onX, onY] = [
      [1, 2, 3],
      [0, 0, 0],
    ];
    const plan = opened.record(() => {
      for (let i = 0; i < 5; i++) runAffine(x, -1, i);
      y.assign(x);
      runAffine(y, 1, 7);
    });
    const expected: number[][] = [];
    const found: Promise<ArrayLike<number>>[] = [];
    const actions = [
      () => {
        runAffine(x, -1, 5);
        onX = affineHost(onX, -1, 5);
      },
      () => {
        onX = [0, 1, 2].map(() => random.below(100));
        x.write(numbers(...onX));
      },
      () => {
        plan.replay();
        for (let i = 0; i < 5; i++) onX = affineHost(onX, -1, i);
        onY = affineHost(onX, 1, 7);
      },
      () => {
        x.assign(y);
        onX = onY;
      },
      () => {
        expected.push(onX, onY);
        found.push(x.read(), y.read());
      },
    ];
    for (let i = 0; i < 400; i++) actions[random.below(actions.length)]();
    expect((await Promise.all(found)).map((values) => [...Array.from(values)])).toEqual(expected);
    plan.dispose();
    for (const tensor of [x, y]) tensor.dispose();
    opened.close();
  });

  it('reads of one tensor, and of many, may wait at the same time', async () => {
    const tensors = [1, 2, 3].map((value) => Tensor.from(device, numbers(value)));
    const results = await Promise.all([...tensors, tensors[0]].map((tensor) => tensor.read()));
    expect(results.map(([value]) => value)).toEqual([1, 2, 3, 1]);
    for (const tensor of tensors) tensor.dispose();
  });
});

describe('sizes and types', () => {
  it.each([1, 2, 3, 63, 64, 65, 127, 1001, 70_001])('%i numbers of each type come back', async (size) => {
    const data = [
      Float32Array.from({ length: size }, (_, i) => i - 0.5),
      Int32Array.from({ length: size }, (_, i) => -i),
      Uint32Array.from({ length: size }, (_, i) => 2 ** 32 - 1 - i),
    ];
    for (const array of data) {
      const tensor = Tensor.from(device, array);
      expect(await tensor.read()).toEqual(array);
      tensor.dispose();
    }
  });

  it('part of a larger array can be written', async () => {
    const tensor = Tensor.from(device, numbers(0, 1, 2, 3, 4, 5).subarray(2, 5));
    expect([...(await tensor.read())]).toEqual([2, 3, 4]);
    tensor.dispose();
  });

  it.each([1, 2, 3, 5, 7, 8])('%i bytes can be read', async (bytes) => {
    const tensor = Tensor.from(device, Uint32Array.of(0x04030201, 0x08070605));
    const read = new Uint8Array(await device.stream.read(tensor.buffer, bytes));
    expect([...read]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].slice(0, bytes));
    tensor.dispose();
  });

  it('copies the bytes asked for and no more', async () => {
    const source = Tensor.from(device, numbers(1, 2, 3));
    const target = Tensor.from(device, numbers(7, 8, 9));
    device.stream.copy(source.buffer, target.buffer, 8);
    expect([...(await target.read())]).toEqual([1, 2, 9]);
    for (const tensor of [source, target]) tensor.dispose();
  });

  it('refuses other lengths, types and extents', async () => {
    const tensor = Tensor.from(device, numbers(1, 2));
    const cases: [() => unknown, string | RegExp][] = [
      [
        () => Tensor.from(device, numbers(1, 2, 3), [2, 2]),
        /^tensor \[2,2\] \(f32, #\d+\) holds 4 elements, got 3$/,
      ],
      [() => tensor.write(numbers(1)), /^tensor \[2\] \(f32, #\d+\) holds 2 elements, got 1$/],
      [
        () => tensor.write(Int32Array.of(1, 2)),
        /^tensor \[2\] \(f32, #\d+\) takes Float32Array, got Int32Array$/,
      ],
      [
        () => Tensor.empty(device, [2, 0]),
        'Tensor: shape is [2,0], expected an array of positive whole numbers',
      ],
      [
        () => Tensor.empty(device, [1.5]),
        'Tensor: shape is [1.5], expected an array of positive whole numbers',
      ],
    ];
    for (const [action, message] of cases) {
      expect(action).toThrow(UserError);
      expect(action).toThrow(message);
    }
    expect([...(await tensor.read())]).toEqual([1, 2]);
    tensor.dispose();
    const integers = Tensor.from(device, Int32Array.of(1));
    await expect(integers.readF32()).rejects.toThrow(/^tensor \[1\] \(i32, #\d+\) is not f32$/);
    integers.dispose();
  });

  it('names the limit that a tensor exceeds', async () => {
    const gpu = await bareDevice();
    const wrapped = wrapDevice(gpu);
    const { maxStorageBufferBindingSize } = gpu.limits;
    const action = () => Tensor.empty(wrapped, [maxStorageBufferBindingSize / 4 + 1]);
    expect(action).toThrow(UserError);
    expect(action).toThrow(/needs .* MiB in one buffer.*allows 128\.0 MiB \(maxStorageBufferBindingSize\)/);
    expect(wrapped.tensors.size).toBe(0);
    wrapped.close();
    gpu.destroy();
  });
});

describe('wrapDevice', () => {
  it("leaves the caller's device usable, and takes nothing with it", async () => {
    const gpu = await bareDevice();
    const wrapped = wrapDevice(gpu);
    const x = Tensor.from(wrapped, numbers(1, 2));
    runAffine(x, 2, 0);
    expect([...(await x.read())]).toEqual([2, 4]);
    runAffine(x, 2, 0); // still pending when the device is closed
    wrapped.close();
    wrapped.close();
    expect(wrapped.tensors.size).toBe(0);
    expect(gpu.onuncapturederror).toBeNull();

    const usage = BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    const [source, target] = [
      gpu.createBuffer({ size: 4, usage }),
      gpu.createBuffer({ size: 4, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST }),
    ];
    gpu.queue.writeBuffer(source, 0, Uint32Array.of(42));
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, target, 0, 4);
    gpu.queue.submit([encoder.finish()]);
    await target.mapAsync(MapMode.READ);
    expect(new Uint32Array(target.getMappedRange())[0]).toBe(42);
    gpu.destroy();
  });
});
