/** What callers without a type checker get wrong, and how tensors show themselves. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backward, type Device, openDevice, Tensor, UserError } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const arrays = 'expected a Float32Array, Int32Array or Uint32Array';
const shapes = 'expected an array of positive whole numbers';
const numbers = Float32Array.of(1, 2, 3);
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets pass
const { from, empty } = Tensor as any;

const cases: [what: string, message: string, action: () => unknown][] = [
  ['a plain array', `Tensor: data is Array, ${arrays}`, () => from(device, [1, 2, 3])],
  ['a nested array', `Tensor: data is Array, ${arrays}`, () => from(device, [[1], [2]])],
  ['doubles', `Tensor: data is Float64Array, ${arrays}`, () => from(device, Float64Array.of(1))],
  ['bytes', `Tensor: data is Uint8Array, ${arrays}`, () => from(device, Uint8Array.of(1))],
  ['a number', `Tensor: data is Number, ${arrays}`, () => from(device, 3)],
  ['a text', `Tensor: data is String, ${arrays}`, () => from(device, '3')],
  ['no data', `Tensor: data is undefined, ${arrays}`, () => from(device)],
  ['null', `Tensor: data is null, ${arrays}`, () => from(device, null)],
  ['data first', `Tensor: data is undefined, ${arrays}`, () => from(numbers)],
  ['no device', 'Tensor: device is undefined, expected a Device', () => from(undefined, numbers)],
  [
    'a promise',
    'Tensor: device is Promise, expected a Device, which openDevice() resolves to',
    () => from(Promise.resolve(device), numbers),
  ],
  ['another device', 'Tensor: device is Object, expected a Device', () => empty({}, [1])],
  ['a broken extent', `Tensor: shape is [1.5,2], ${shapes}`, () => from(device, numbers, [1.5, 2])],
  ['a negative extent', `Tensor: shape is [-3], ${shapes}`, () => from(device, numbers, [-3])],
  ['a number as shape', `Tensor: shape is 3, ${shapes}`, () => from(device, numbers, 3)],
  ['a text as extent', `Tensor: shape is ["3"], ${shapes}`, () => empty(device, ['3'])],
  ['no shape', `Tensor: shape is undefined, ${shapes}`, () => empty(device)],
  ['another type', 'Tensor: dtype is f16, expected f32,i32,u32', () => empty(device, [2], 'f16')],
  ['nothing to write', ') holds 2 elements, got undefined', () => empty(device, [2]).write()],
  ['a plain array to write', ') takes Int32Array, got Array', () => empty(device, [2], 'i32').write([1, 2])],
];

it.each(cases)('%s', (_, message, action) => {
  expect(action).toThrow(UserError);
  expect(action).toThrow(message);
});

it('refuses what WebGPU would fail the device for', async () => {
  using other = await openDevice();
  const ours = empty(device, [3]);
  const theirs = empty(other, [3]);
  const source = {
    name: 'copy',
    text: `
struct Params { length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = x[id.x]; }`,
  };
  const run = (tensors: Record<string, Tensor>) =>
    device.run({ source, tensors, params: { length: 3 }, workgroups: [3, 1, 1] });
  expect(() => run({ x: theirs, y: ours })).toThrow(`copy: ${theirs}, for 'x', is of another device`);
  expect(() => run({ x: ours, y: ours })).toThrow("copy: 'y' is written, and its memory bound twice");
  expect(() => run({ x: ours, y: ours.detach() })).toThrow(UserError);
  expect(() => ours.assign(theirs)).toThrow(`assignAt: ${ours} got ${theirs} of another device`);
  expect(() => ours.assign(3 as never)).toThrow('assign: the source is Number, expected a Tensor');
  await device.stream.finish(); // which would tell of a failure
  device.check();
});

it('refuses an async body, and frees what it made so far', () => {
  const { size } = device.tensors;
  const body = async () => {
    empty(device, [3]);
    throw new Error('late');
  };
  expect(() => device.scope(body)).toThrow('the body of a scope or a recording must not be async');
  expect(() => device.record(body)).toThrow('the body of a scope or a recording must not be async');
  expect(device.tensors.size).toBe(size);
});

it.each([
  ['a plain object', { add: 'text' }],
  ['a folder', 'shaders'],
  ['a Map of numbers', new Map([['add', 3]])],
])('takes no shaders from %s', async (_, shaders) => {
  await expect(openDevice({ shaders: shaders as never })).rejects.toThrow(
    /^shaders: expected a Map of names/,
  );
});

it.each([
  ['no array', 3, 'backward: expected an array of { of: tensor, gradient? }'],
  ['a tensor', [numbers], 'backward: `of` of a root is undefined, expected a Tensor'],
  ['nothing', [undefined], 'backward: `of` of a root is undefined, expected a Tensor'],
])('backward refuses %s for roots', (_, roots, message) => {
  const gradients = { add: (a: Tensor) => a, rules: {} };
  expect(() => backward(device, roots as never, gradients)).toThrow(UserError);
  expect(() => backward(device, roots as never, gradients)).toThrow(message);
});

it('backward refuses a gradient of another shape, and to go without rules', () => {
  const x = empty(device, [2], 'f32', true);
  const gradients = { add: (a: Tensor) => a, rules: {} };
  const start = (gradient: unknown) => () => backward(device, [{ of: x, gradient }] as never, gradients);
  expect(start(empty(device, [3]))).toThrow(
    /tensor \[2\].* has tensor \[3\].* to start from: give one of its shape/,
  );
  expect(start(numbers)).toThrow(' has 1,2,3 to start from: give one of its shape');
  expect(() => backward(device, [{ of: x }], undefined as never)).toThrow('and { add, rules }');
});

it('shows shape, type and number, and not the engine', () => {
  const tensor = Tensor.empty(device, [2, 3], 'i32');
  const shown = `tensor [2,3] (i32, #${tensor.id})`;
  expect(String(tensor)).toBe(shown);
  expect(inspect(tensor)).toBe(shown);
  expect(inspect({ inside: [tensor] })).toBe(`{ inside: [ ${shown} ] }`);
  expect(inspect(tensor.detach())).toContain('tensor [2,3] (i32, #');
});
