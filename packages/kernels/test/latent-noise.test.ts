/** The noise of guesses: its distribution, and that it is the same whenever and wherever it is drawn. */
import { type Device, openDevice, Tensor } from '@hrm-webgpu/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { latentNoise } from '../src/defs/latent_noise.ts';
import { launch } from '../src/kernel.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const KEY = { key0: 1, key1: 2, stream: 3 };

/** Noise of σ = 1 on zeros, row by row. */
async function noise(guesses: number[], steps: number[], length: number): Promise<Float32Array> {
  const batch = guesses.length;
  const tensors = {
    guess: Tensor.from(device, Uint32Array.from(guesses)),
    steps: Tensor.from(device, Uint32Array.from(steps)),
    halted: Tensor.from(device, new Uint32Array(batch)),
    z: Tensor.from(device, new Float32Array(batch * length)),
  };
  launch(device, latentNoise, tensors, { batch, length, sigma: 1, ...KEY });
  const drawn = (await tensors.z.read()) as Float32Array;
  for (const tensor of Object.values(tensors)) tensor.dispose();
  return drawn;
}

it('is standard normal: its moments and its distribution function', async () => {
  const count = 400_000;
  const drawn = Float64Array.from(await noise([1], [1], count));
  const moment = (power: number) => drawn.reduce((sum, value) => sum + value ** power, 0) / count;
  // Five standard errors: √(1, 2, 15, 96 / n).
  expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / count));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / count));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
  // Φ at the quantiles of 0.1 %, 2.5 %, 25 %, 50 %, …, by tables.
  const quantiles: [number, number][] = [
    [-3.090232, 0.001],
    [-1.959964, 0.025],
    [-0.67449, 0.25],
    [0, 0.5],
    [0.67449, 0.75],
    [1.959964, 0.975],
    [3.090232, 0.999],
  ];
  for (const [at, share] of quantiles) {
    const below = drawn.filter((value) => value < at).length / count;
    expect(Math.abs(below - share), String(at)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / count));
  }
});

it('goes by guess, segment and element alone, to the bit', async () => {
  const length = 1001;
  const together = await noise([2, 5, 2, 0], [1, 1, 3, 2], length);
  const row = (i: number) => together.slice(i * length, (i + 1) * length);
  expect(await noise([2], [1], length)).toEqual(row(0));
  expect(await noise([5, 2], [1, 3], length)).toEqual(together.slice(length, 3 * length));
  expect(row(0)).not.toEqual(row(1));
  expect(row(0)).not.toEqual(row(2));
  expect(row(3)).toEqual(new Float32Array(length)); // guess 0, the puzzle as given
  expect(await noise([2], [1], 500)).toEqual(row(0).slice(0, 500));
});
