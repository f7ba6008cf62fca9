/** At which shape a kernel is timed. */
import { type ParamValues, parseShader, UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { modelShape } from '../kernels/model-shape.ts';

/** Shapes of the published model at a batch of 8, of kernels whose parameters do not say them by their names. */
const MIDDLING: readonly [RegExp, ParamValues][] = [
  [/^matmul_workgroup$/, { m: 328, n: 512, k: 512, a_row: 512, a_column: 1, splits: 1 }],
  [/^matmul_naive$/, { m: 328, n: 512, k: 512 }],
  [/^matmul/, { m: 328, n: 512, k: 512, a_row: 512, a_column: 1 }],
  [/^attention/, { batch: 2, seq_len: 82, heads: 8, head_dim: 64 }],
  [/^rope$/, { tokens: 656, seq_len: 82, heads: 8, head_dim: 64, sign: 1 }],
];

/**
 * The shape that a kernel is timed at: one of the published model where it has one, else the largest that it is checked at;
 * with what `overrides` (`m=64,n=128`) says.
 *
 * @throws UserError for a name that the kernel has not, and for a number that it cannot take: an extent of 0, or a broken one
 */
export function shapeOf(kernel: string, overrides: string | undefined): ParamValues {
  const check = checks[kernel];
  const { cases, kernel: definition } = check;
  const work = (params: ParamValues) => definition.flops(params) + definition.bytes(params);
  const largest = cases.reduce((a, b) => (work(b) > work(a) ? b : a));
  const middling = MIDDLING.find(([names]) => names.test(kernel))?.[1] ?? modelShape(check);
  const shape: Record<string, number> = { ...largest, ...middling };
  const types = new Map(parseShader(kernel, definition.text).params.map(({ name, type }) => [name, type]));
  for (const entry of overrides?.split(',') ?? []) {
    const [name, text] = entry.split('=');
    if (!Object.hasOwn(shape, name) || !text || !Number.isFinite(Number(text))) {
      throw new UserError(
        `--shape ${entry}: expected NAME=NUMBER with one of ${kernel}'s parameters: ${Object.keys(shape).join(', ')}`,
      );
    }
    const value = Number(text);
    const type = types.get(name);
    // What some case has as 0 is no extent.
    const least = cases.some((params) => params[name] === 0) ? 0 : 1;
    if (type === 'u32' && !(Number.isInteger(value) && value >= least && value < 2 ** 32))
      throw new UserError(
        `--shape ${entry}: ${name} is a u32, expected a whole number from ${least} to ${2 ** 32 - 1}`,
      );
    if (type === 'i32' && !(Number.isInteger(value) && Math.abs(value) < 2 ** 31))
      throw new UserError(`--shape ${entry}: ${name} is an i32, expected a whole number`);
    shape[name] = value;
  }
  return shape;
}

/** Above that, making inputs and comparing results takes longer than one waits for. */
const MOST_BYTES = 2 ** 30;

/** @throws UserError for a shape that is too large to be tried */
export function expectRoom(kernel: string, params: ParamValues): void {
  const bytes = checks[kernel].kernel.bytes(params);
  if (bytes > MOST_BYTES)
    throw new UserError(
      `--shape: ${kernel} would read and write ${(bytes / 2 ** 30).toPrecision(3)} GiB; the lab tries up to 1`,
    );
}
