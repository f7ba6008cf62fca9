import { type Device, openDevice } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gradientsOf } from '../../src/lab/trial/gradients.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const of = (kernel: string, change: [string, string] = ['', '']) => {
  const { text } = checks[kernel].kernel;
  const changed = text.replace(...change);
  if (change[0]) expect(changed).not.toBe(text);
  return gradientsOf(device, { kernel, text: changed }, new AbortController().signal);
};

it.each([
  ['relu', ['relu']],
  ['transpose', ['linear']],
  ['matmul', ['linear']], // though the engine takes another kernel here
  ['attention_backward_key', ['attention']],
  ['slice', ['cat', 'slice']],
  ['act_step', []],
])('%s is part of %j', async (kernel, ops) => {
  const reply = await of(kernel);
  expect(reply).toEqual({ ops, margin: expect.any(Number) });
  expect(reply.margin).toBeLessThan(1);
  expect(device.tensors.size).toBe(0);
});

it('finds a kernel of the backward pass that is not the derivative', async () => {
  const { problem } = await of('mean_backward', ['/ f32', '* 1.01 / f32']);
  expect(problem).toMatch(/^the gradient of \w+: checkGradients: input 0 .* wrong/);
});

it('remarks on a kernel of the forward pass whose derivative is another', async () => {
  const { problem, remark } = await of('mean', ['/ f32', '* 1.01 / f32']);
  expect(problem).toBeUndefined();
  expect(remark).toMatch(/^the gradient of \w+: checkGradients: input 0 .* wrong/);
});
