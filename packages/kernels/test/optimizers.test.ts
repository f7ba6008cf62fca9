/** Optimisers over several steps against float64, eagerly and recorded. */
import { backward, type Device, openDevice, Tensor } from '@hrm-webgpu/core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { AdamAtan2, crossEntropy, gradientRules, linear, SGD } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());
afterEach(() => {
  expect(device.tensors.size).toBe(0); // whoever makes an optimiser can free all of it
});

const START = [0.5, -1, 2, 0];
const GRADIENTS = [
  [1, -2, 0, 0.5],
  [1, 1, 3e-3, 0],
  [-40, 2, 1, 0],
];
const RATES = [0.1, 0.1, 0.01];

/** The parameter after the steps with these gradients and rates. */
async function stepped(make: (p: Tensor) => SGD | AdamAtan2): Promise<Float32Array> {
  const p = Tensor.from(device, Float32Array.from(START), [2, 2], true);
  const optimizer = make(p);
  GRADIENTS.forEach((gradient, t) => {
    optimizer.lr = RATES[t];
    device.scope(() =>
      optimizer.step(new Map([[p, Tensor.from(device, Float32Array.from(gradient), [2, 2])]])),
    );
  });
  const result = await p.readF32();
  optimizer.dispose();
  p.dispose();
  return result;
}

it.each([
  { momentum: 0, weightDecay: 0 },
  { momentum: 0.9, weightDecay: 0 },
  { momentum: 0.5, weightDecay: 0.2 },
])('SGD is right with $momentum and $weightDecay', async ({ momentum, weightDecay }) => {
  const found = await stepped((p) => new SGD([p], { lr: 7, momentum, weightDecay }));
  const expected = START.map((start, i) => {
    let [p, velocity] = [start, 0];
    GRADIENTS.forEach((gradient, t) => {
      velocity = momentum * velocity + gradient[i] + weightDecay * p;
      p -= RATES[t] * velocity;
    });
    return p;
  });
  expected.forEach((p, i) => {
    expect(found[i]).toBeCloseTo(p, 6);
  });
});

it.each([
  { betas: [0.9, 0.95] as const, weightDecay: 0 },
  { betas: [0.9, 0.999] as const, weightDecay: 0.1 },
  { betas: [0, 0.5] as const, weightDecay: 1 },
])('AdamAtan2 is right with $betas and $weightDecay', async ({ betas, weightDecay }) => {
  const found = await stepped((p) => new AdamAtan2([p], { lr: 7, betas, weightDecay }));
  const [beta1, beta2] = betas;
  const expected = START.map((start, i) => {
    let [p, m, v] = [start, 0, 0];
    GRADIENTS.forEach((gradient, t) => {
      const lr = RATES[t];
      p *= 1 - lr * weightDecay;
      m = beta1 * m + (1 - beta1) * gradient[i];
      v = beta2 * v + (1 - beta2) * gradient[i] ** 2;
      // As the published implementation: the first moment is corrected outside of atan2.
      p -= (lr / (1 - beta1 ** (t + 1))) * Math.atan2(m, Math.sqrt(v / (1 - beta2 ** (t + 1))));
    });
    return p;
  });
  expected.forEach((p, i) => {
    expect(found[i]).toBeCloseTo(p, 6);
  });
});

it.each([
  ['SGD', (all: Tensor[]) => new SGD(all, { lr: 0.5, momentum: 0.9 })],
  ['AdamAtan2', (all: Tensor[]) => new AdamAtan2(all, { lr: 0.1, weightDecay: 0.1 })],
] as const)('%s moves recorded as eagerly, to the bit, and learns', async (_, make) => {
  const run = async (recorded: boolean) => {
    const x = Tensor.from(
      device,
      Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * i)),
      [6, 4],
    );
    const labels = Tensor.from(device, Int32Array.of(0, 1, 2, 2, 1, 0));
    const w = Tensor.from(
      device,
      Float32Array.from({ length: 12 }, (_, i) => Math.cos(i)),
      [3, 4],
      true,
    );
    const optimizer = make([w]);
    const step = () => {
      const loss = crossEntropy(linear(x, w), labels);
      optimizer.step(backward(device, [{ of: loss }], gradientRules));
      return loss;
    };
    const plan = recorded ? device.record(step) : undefined;
    const losses: number[] = [];
    for (let t = 0; t < 12; t++) {
      if (t === 6) optimizer.lr = 0.05;
      plan?.replay();
      const loss = plan?.result ?? device.scope(step);
      losses.push((await loss.readF32())[0]);
      if (!plan) loss.dispose();
    }
    const weights = await w.readF32();
    plan?.dispose();
    optimizer.dispose();
    for (const tensor of [x, labels, w]) tensor.dispose();
    return { losses, weights };
  };
  const eager = await run(false);
  expect(await run(true)).toEqual(eager);
  expect(eager.losses.at(-1)).toBeLessThan(eager.losses[0] / 1.5);
});

it('a parameter without a gradient is named before anything moves', async () => {
  const [p, q] = [1, 2].map((value) => Tensor.from(device, Float32Array.of(value), [1], true));
  const gradient = Tensor.from(device, Float32Array.of(1));
  const optimizer = new SGD([p, q], { lr: 1 });
  expect(() => optimizer.step(new Map([[p, gradient]]))).toThrow(
    `SGD: tensor [1] (f32, #${q.id}) has no gradient: nothing that was differentiated was computed from it`,
  );
  expect(await p.readF32()).toEqual(Float32Array.of(1));
  optimizer.dispose();
  for (const tensor of [p, q, gradient]) tensor.dispose();
});
