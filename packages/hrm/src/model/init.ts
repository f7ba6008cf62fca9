import { type Device, Philox } from '@hrm-webgpu/core';
import type { ModelConfig } from './config.ts';
import { HrmModel } from './model.ts';
import { parameterShapes } from './parameters.ts';
import type { ModelOptions } from './weights.ts';

/** erf(√2), the probability of |standard normal| < 2. */
const ERF_SQRT2 = 0.9544997361036416;

/** The standard deviation of a standard normal cut at ±2. */
const CUT_STD = 0.8796256610342398;

/**
 * Inverse error function: Giles' polynomials ("Approximating the erfinv function", GPU Computing Gems 2, 2010),
 * accurate to about 1e-7, which is f32's precision.
 */
export function erfinv(x: number): number {
  const w = -Math.log((1 - x) * (1 + x));
  const evaluate = (coefficients: readonly number[], at: number) =>
    coefficients.reduce((sum, c) => sum * at + c, 0);
  return x * (w < 5 ? evaluate(CENTRAL, w - 2.5) : evaluate(TAIL, Math.sqrt(w) - 3));
}

const CENTRAL = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const TAIL = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

/**
 * `count` draws from a normal distribution cut at two standard deviations and widened so that the *result* has
 * standard deviation `std` (JAX's truncated normal; HRM's initialisation).
 */
export function truncatedNormal(random: Philox, count: number, std: number): Float32Array {
  const sigma = std / CUT_STD;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const value = Math.SQRT2 * sigma * erfinv(ERF_SQRT2 * (2 * random.uniform() - 1));
    values[i] = Math.max(-2 * sigma, Math.min(2 * sigma, value));
  }
  return values;
}

/** A Philox stream; any number that nothing else takes. */
const INIT_STREAM = 0x696e6974;

/**
 * Fresh weights by published name: truncated normal of std 1/√in for linear weights, 1/√D for embeddings, 1 for the
 * initial states; zero puzzle rows and q_head weight, q_head bias −5.
 */
export function* initialWeights(config: ModelConfig, seed: number): Generator<[string, Float32Array]> {
  const random = new Philox(seed, INIT_STREAM);
  for (const [name, shape] of parameterShapes(config)) {
    const count = shape.reduce((product, extent) => product * extent, 1);
    if (name === 'q_head.bias') yield [name, new Float32Array(count).fill(-5)];
    else if (name === 'q_head.weight' || name === 'puzzle_emb.weights') yield [name, new Float32Array(count)];
    else if (name === 'H_init' || name === 'L_init') yield [name, truncatedNormal(random, count, 1)];
    else yield [name, truncatedNormal(random, count, 1 / Math.sqrt(shape[1]))];
  }
}

/** A model with `initialWeights`. Not a method of the model: who loads weights need not carry how they are drawn. */
export function initializeModel(
  device: Device,
  config: ModelConfig,
  seed: number,
  { signal, ...options }: ModelOptions & { signal?: AbortSignal } = {},
): Promise<HrmModel> {
  const weights = initialWeights(config, seed);
  const next = () => {
    signal?.throwIfAborted();
    return weights.next().value[1];
  };
  return HrmModel.load(device, config, next, options);
}
