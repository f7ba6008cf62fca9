import { PUZZLE_ROWS } from '../model/parameters.ts';
import { fnv1a } from '../tuning/fnv1a.ts';

/**
 * Weights made by rule instead of stored, for fixtures of full-size models: element i of a tensor is r·s with r in
 * [−1, 1) from a counter hash (mulberry32) of the FNV-1a hash of its name, and s the scale below.
 */
export function ruleWeight(name: string, shape: readonly number[]): Float32Array {
  const scale = ruleScale(name, shape);
  const hash = fnv1a(name);
  const values = new Float32Array(shape.reduce((product, extent) => product * extent, 1));
  for (let i = 0; i < values.length; i++) {
    const t = (hash + Math.imul(i + 1, 0x6d2b79f5)) >>> 0;
    let a = Math.imul(t ^ (t >>> 15), t | 1);
    a ^= a + Math.imul(a ^ (a >>> 7), a | 61);
    values[i] = (2 * (((a ^ (a >>> 14)) >>> 0) / 2 ** 32) - 1) * scale;
  }
  return values;
}

function ruleScale(name: string, shape: readonly number[]): number {
  if (name === 'q_head.bias') return 0.1;
  if (name === PUZZLE_ROWS) return 0.5;
  if (name === 'H_init' || name === 'L_init') return Math.sqrt(3);
  return Math.sqrt(3 / shape[1]);
}
