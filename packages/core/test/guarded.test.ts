/** Guard zones show what an index out of bounds does, on an adapter that would let it pass. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, launchGuarded, openDevice } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

/** `y[i + shift] = x[i + reach]` for i below `length`. */
const copy = {
  name: 'copy',
  text: `struct Params { length: u32, shift: u32, reach: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.length) { y[id.x + params.shift] = x[id.x + params.reach]; }
}`,
};
const run = (params: { length: number; shift: number; reach: number }, workgroups = params.length) => {
  const contents = { x: Float32Array.of(1, 2, 3, 4, 5), y: new Float32Array(5).fill(-1) };
  return launchGuarded(device, device.program(copy, {}), {
    contents,
    params,
    workgroups: [workgroups, 1, 1],
  });
};

it('computes what a launch does where all indices are in bounds', async () => {
  const { arrays, trespass } = await run({ length: 5, shift: 0, reach: 0 });
  expect([...arrays.y]).toEqual([1, 2, 3, 4, 5]);
  expect([...arrays.x]).toEqual([1, 2, 3, 4, 5]);
  expect(trespass).toBeUndefined();
});

it('leaves alone what a kernel does not write, and runs nothing on an empty grid', async () => {
  expect([...(await run({ length: 2, shift: 1, reach: 0 })).arrays.y]).toEqual([-1, 1, 2, -1, -1]);
  expect([...(await run({ length: 5, shift: 0, reach: 0 }, 0)).arrays.y]).toEqual([-1, -1, -1, -1, -1]);
});

it('a read past the end meets NaN', async () => {
  expect([...(await run({ length: 5, shift: 0, reach: 2 })).arrays.y]).toEqual([
    3,
    4,
    5,
    Number.NaN,
    Number.NaN,
  ]);
});

it('a write past the end is found', async () => {
  const { arrays, trespass } = await run({ length: 5, shift: 2, reach: 0 });
  expect([...arrays.y]).toEqual([-1, -1, 1, 2, 3]);
  expect(trespass).toBe('y[5] is written, but y has 5 elements, and 1 more');
});

it('a write far off is found', async () => {
  const { trespass } = await run({ length: 1, shift: 1000, reach: 0 });
  expect(trespass).toBe('y[1000] is written, but y has 5 elements');
});

it('refuses a binding without contents', async () => {
  const launch = { contents: { x: new Float32Array(5) }, params: {}, workgroups: [1, 1, 1] as const };
  await expect(launchGuarded(device, device.program(copy, {}), launch)).rejects.toThrow(
    "copy: no contents given for binding 'y'",
  );
});

it('a shader that has been edited under its name is another program', async () => {
  const edited = { ...copy, text: copy.text.replace('= x[', '= 2 * x[') };
  const contents = { x: Float32Array.of(1, 2), y: new Float32Array(2) };
  const launch = { contents, params: { length: 2, shift: 0, reach: 0 }, workgroups: [2, 1, 1] as const };
  expect([...(await launchGuarded(device, device.program(copy, {}), launch)).arrays.y]).toEqual([1, 2]);
  expect([...(await launchGuarded(device, device.program(edited, {}), launch)).arrays.y]).toEqual([2, 4]);
});
