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

const NAME = 31;
/** Rows below this share are added up. */
const LEAST_SHARE = 0.002;

/**
 * Lines of the table, the header first.
 *
 * @param steps the times of each profiled step, named by kernel and shape; `a part` of a dispatch that was divided has none
 * @param wallMs of steps that were not profiled
 */
export function profileTable(
  steps: readonly (readonly KernelTime[])[],
  wallMs: readonly number[],
  dispatches: number,
): string[] {
  const rows = byKernel(rowsOf(steps));
  const kernelMs = rows.reduce((sum, { stepMs }) => sum + median(stepMs), 0);
  const share = ({ stepMs }: Row) => median(stepMs) / kernelMs;
  const large = rows.filter((row) => share(row) >= LEAST_SHARE);
  const small = rows.filter((row) => share(row) < LEAST_SHARE);
  const rest = small.reduce((sum, { stepMs }) => sum + median(stepMs), 0);
  const percent = (part: number) => `${((100 * part) / kernelMs).toFixed(1)} %`;
  return [
    line('kernel', 'calls', 'ms', 'middle half', 'share', 'GFLOP/s', 'GB/s'),
    ...large.flatMap(({ kernel, shape, calls, stepMs, flops, bytes }, i) => {
      const ms = median(stepMs);
      const rate = (amount: number) => (amount > 0 ? (amount / ms / 1e6).toFixed(1) : '–');
      const numbers = [
        String(calls),
        milliseconds(ms),
        middleHalf(stepMs),
        percent(ms),
        rate(flops),
        rate(bytes),
      ];
      const heading = large[i - 1]?.kernel === kernel ? [] : [kernel];
      return [...heading, ...named(`  ${shape || 'one element'}`, numbers)];
    }),
    ...(small.length > 0
      ? [line(`${small.length} others`, '', milliseconds(rest), '', percent(rest), '', '')]
      : []),
    line('all kernels', dispatches.toFixed(0), milliseconds(kernelMs), '', '', '', ''),
    line('a step as it runs', '', milliseconds(median(wallMs)), middleHalf(wallMs), '', '', ''),
    line('host and waiting', '', milliseconds(Math.max(0, median(wallMs) - kernelMs)), '', '', '', ''),
    '',
    `Medians of ${steps.length} steps; kernels by timestamps, a pass for each dispatch.`,
  ];
}

/** The shapes of a kernel side by side, the longest first, and so the kernels. */
function byKernel(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.kernel, [...(groups.get(row.kernel) ?? []), row]);
  const total = (group: readonly Row[]) => group.reduce((sum, { stepMs }) => sum + median(stepMs), 0);
  const sorted = [...groups.values()].sort((a, b) => total(b) - total(a));
  return sorted.flatMap((group) => group.sort((a, b) => median(b.stepMs) - median(a.stepMs)));
}

function rowsOf(steps: readonly (readonly KernelTime[])[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { name, calls, ms, flops, bytes } of steps.flat()) {
    const space = name.indexOf(' ');
    const [kernel, shape] = [name.slice(0, space), name.slice(space + 1)];
    const row = rows.get(name) ?? { kernel, shape, calls, stepMs: [], flops, bytes };
    row.stepMs.push(ms);
    rows.set(name, row);
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
    half.padStart(14),
    share.padStart(7),
    flops.padStart(8),
    bytes.padStart(6),
  ];
  return (name.padEnd(NAME) + numbers.join('')).trimEnd();
}

const middleHalf = (values: readonly number[]) =>
  [0.25, 0.75].map((q) => milliseconds(quantile(values, q))).join('–');

/** Two decimals where there is room for them. */
const milliseconds = (ms: number) => ms.toFixed(ms < 100 ? 2 : ms < 1000 ? 1 : 0);

const median = (values: readonly number[]) => quantile(values, 0.5);

/** The value at a share of the sorted ones, the nearest. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
}
