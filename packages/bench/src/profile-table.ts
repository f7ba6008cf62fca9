/** Where the time of a call goes, kernel by kernel. */
import type { Device, KernelTime } from '@hrm-webgpu/core';
import { type Measured, measuredCells } from './measured.ts';
import { significant } from './report.ts';

/** Rows of a table: time, rates and share of each kernel over `runs` calls, the rest together. */
export interface Profile {
  kernels: KernelTime[];
  gpuMs: number;
}

/** Times every kernel of a call by timestamps; undefined where the adapter has none. */
export async function profile(device: Device, run: () => void, runs: number): Promise<Profile | undefined> {
  if (!device.gpu.features.has('timestamp-query')) return undefined;
  const stop = device.stream.startProfile();
  for (let i = 0; i < runs; i++) run();
  const kernels = (await stop()).map((time) => ({
    ...time,
    calls: time.calls / runs,
    ms: time.ms / runs,
    flops: time.flops / runs,
    bytes: time.bytes / runs,
  }));
  return { kernels, gpuMs: kernels.reduce((sum, { ms }) => sum + ms, 0) };
}

/** Kernels below this share are shown together. */
const LEAST_SHARE = 0.01;

/**
 * The table of a whole-model benchmark: rates, also as a share of the `best` of matrix products, and where the time of
 * the call that took `wallMs` goes.
 */
export function modelTable(
  results: readonly Measured[],
  best: number,
  times: Profile | undefined,
  wallMs: number,
): string[][] {
  return [
    ['', 'ms', 'middle half', 'GFLOP/s', 'of best matmul', ''],
    ...results.map((result) => [
      ...measuredCells(result),
      `${((100 * result.gflops) / best).toFixed(0)} %`,
      '',
    ]),
    ...(times ? [['', '', '', '', '', ''], ...profileRows(times, wallMs)] : []),
  ];
}

/** The table of a profile; `wallMs` is what a call takes when it is not profiled. */
function profileRows({ kernels, gpuMs }: Profile, wallMs: number): string[][] {
  const large = kernels.filter(({ ms }) => ms >= LEAST_SHARE * gpuMs);
  const small = kernels.filter(({ ms }) => ms < LEAST_SHARE * gpuMs);
  const rate = (amount: number, ms: number) => (amount > 0 ? significant(amount / ms / 1e6) : '–');
  const share = (ms: number) => `${((100 * ms) / gpuMs).toFixed(1)} %`;
  const sum = (pick: (time: KernelTime) => number) => small.reduce((total, time) => total + pick(time), 0);
  return [
    ['kernel', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'],
    ...large.map(({ name, calls, ms, flops, bytes }) => [
      name,
      String(calls),
      significant(ms),
      share(ms),
      rate(flops, ms),
      rate(bytes, ms),
    ]),
    [
      `${small.length} others`,
      String(sum(({ calls }) => calls)),
      significant(sum(({ ms }) => ms)),
      share(sum(({ ms }) => ms)),
      '',
      '',
    ],
    ['host, waiting and starting', '', significant(Math.max(0, wallMs - gpuMs)), '', '', ''],
  ];
}
