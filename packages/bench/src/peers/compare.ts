import { UserError } from '@hrm-webgpu/core';
import type { Result } from './task.ts';
import type { HostTensor } from './tensor-json.ts';

/**
 * Compares a peer's results with ours. Returns the largest difference found, as a multiple of what is allowed.
 *
 * @throws UserError naming the result that is furthest off: two that compute different things are not compared in speed
 */
export function compareResults(
  what: string,
  ours: Readonly<Record<string, Result>>,
  theirs: Readonly<Record<string, HostTensor>>,
  tolerance: number,
): number {
  let worst = { name: '', excess: -1, difference: 0, at: 0 };
  for (const [name, { data, scale = largest(data) }] of Object.entries(ours)) {
    const other = theirs[name]?.data;
    if (other?.length !== data.length) {
      const found = other ? `${other.length} numbers` : 'nothing';
      throw new UserError(`${what}: expected ${data.length} numbers for '${name}', got ${found}`);
    }
    for (let at = 0; at < data.length; at++) {
      const difference = Math.abs(data[at] - other[at]);
      const excess = difference === 0 ? 0 : difference / (tolerance * scale);
      // NaN is worse than anything.
      if (!(excess <= worst.excess) && !Number.isNaN(worst.excess)) worst = { name, excess, difference, at };
    }
  }
  if (worst.excess <= 1) return worst.excess;
  const { name, at, difference, excess } = worst;
  throw new UserError(
    `${what} computes something else than hrm-webgpu: '${name}' at ${at} is ${theirs[name].data[at]}, ` +
      `ours ${ours[name].data[at]}; allowed is a difference of ${difference / excess}. Nothing was timed.`,
  );
}

function largest(values: ArrayLike<number>): number {
  let result = 0;
  for (let i = 0; i < values.length; i++) result = Math.max(result, Math.abs(values[i]));
  return result;
}
