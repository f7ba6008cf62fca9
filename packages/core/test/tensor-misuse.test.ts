/** What callers without a type checker get wrong, and how tensors show themselves. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, openDevice, Tensor, UserError } from '../src/index.ts';

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
  ['null', `Tensor: data is undefined, ${arrays}`, () => from(device, null)],
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

it('shows shape, type and number, and not the engine', () => {
  const tensor = Tensor.empty(device, [2, 3], 'i32');
  const shown = `tensor [2,3] (i32, #${tensor.id})`;
  expect(String(tensor)).toBe(shown);
  expect(inspect(tensor)).toBe(shown);
  expect(inspect({ inside: [tensor] })).toBe(`{ inside: [ ${shown} ] }`);
  expect(inspect(tensor.detach())).toContain('tensor [2,3] (i32, #');
});
