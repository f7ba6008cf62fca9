/** The table of `hrm train --profile`, in 80 columns. */
import type { KernelTime } from '@hrm-webgpu/core';

/** A kernel at a shape: its times in each step. */
interface Row {
  kernel: string;
  shape: string;
  calls: number;
  /** Of all calls of a step, one for each step. */
  stepMs: number[];
  flops: number;
  bytes: number;
}

const NAME = 32;
/** Rows below this share are added up. */
const LEAST_SHARE = 0.002;

/**
 * Lines of the table, the header first.
 *
 * @param steps the times of each profiled step, by `launchKey`
 * @param shapes by the same key; what is missing there is a part of a dispatch that was divided
 * @param wallMs of steps that were not profiled
 */
export function profileTable(
  steps: readonly (readonly KernelTime[])[],
  shapes: ReadonlyMap<string, string>,
  wallMs: readonly number[],
  dispatches: number,
): string[] {
  const rows = rowsOf(steps, shapes).sort((a, b) => median(b.stepMs) - median(a.stepMs));
  const kernelMs = rows.reduce((sum, { stepMs }) => sum + median(stepMs), 0);
  const share = ({ stepMs }: Row) => median(stepMs) / kernelMs;
  const large = rows.filter((row) => share(row) >= LEAST_SHARE);
  const small = rows.filter((row) => share(row) < LEAST_SHARE);
  const rest = small.reduce((sum, { stepMs }) => sum + median(stepMs), 0);
  const percent = (part: number) => `${((100 * part) / kernelMs).toFixed(1)} %`;
  return [
    line('kernel', 'calls', 'ms', 'middle half', 'share', 'GFLOP/s', 'GB/s'),
    ...large.flatMap((row) => {
      const { kernel, shape, calls, stepMs, flops, bytes } = row;
      const ms = median(stepMs);
      const rate = (amount: number) => (amount > 0 ? (amount / ms / 1e6).toFixed(1) : '–');
      const numbers = [
        String(calls),
        ms.toFixed(2),
        middleHalf(stepMs),
        percent(ms),
        rate(flops),
        rate(bytes),
      ];
      return shape ? [kernel, ...named(`  ${shape}`, numbers)] : named(kernel, numbers);
    }),
    ...(small.length > 0
      ? [line(`${small.length} others`, '', rest.toFixed(2), '', percent(rest), '', '')]
      : []),
    line('all kernels', dispatches.toFixed(0), kernelMs.toFixed(2), '', '', '', ''),
    line('a step as it runs', '', median(wallMs).toFixed(2), middleHalf(wallMs), '', '', ''),
    line('host and waiting', '', Math.max(0, median(wallMs) - kernelMs).toFixed(2), '', '', '', ''),
    '',
    `Medians of ${steps.length} steps; kernels by timestamps, a pass for each dispatch.`,
  ];
}

function rowsOf(steps: readonly (readonly KernelTime[])[], shapes: ReadonlyMap<string, string>): Row[] {
  const rows = new Map<string, Row>();
  for (const times of steps) {
    for (const { name: key, calls, ms, flops, bytes } of times) {
      const [kernel] = key.split(' ');
      const row = rows.get(key) ?? {
        kernel,
        shape: shapes.get(key) ?? 'a part',
        calls,
        stepMs: [],
        flops,
        bytes,
      };
      row.stepMs.push(ms);
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}

/** A name that is too long for its column has a line of its own. */
function named(name: string, [calls, ms, half, share, flops, bytes]: string[]): string[] {
  if (name.length <= NAME) return [line(name, calls, ms, half, share, flops, bytes)];
  return [name, line('', calls, ms, half, share, flops, bytes)];
}

function line(
  name: string,
  calls: string,
  ms: string,
  half: string,
  share: string,
  flops: string,
  bytes: string,
): string {
  const numbers = [
    calls.padStart(5),
    ms.padStart(8),
    half.padStart(13),
    share.padStart(7),
    flops.padStart(8),
    bytes.padStart(6),
  ];
  return (name.padEnd(NAME) + numbers.join('')).trimEnd();
}

const middleHalf = (values: readonly number[]) =>
  [0.25, 0.75].map((q) => quantile(values, q).toFixed(2)).join('–');

const median = (values: readonly number[]) => quantile(values, 0.5);

/** The value at a share of the sorted ones, the nearest. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}
