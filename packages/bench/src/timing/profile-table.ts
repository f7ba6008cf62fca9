/** Where the time of a call goes, kernel by kernel. */
import { type Device, type KernelTime, startProfile, UserError } from '@hrm-webgpu/core';
import { type Measured, measuredCells } from './measured.ts';
import { significant } from './table.ts';

/** Where the time of one call goes. */
export interface Profile {
  /** The result whose call it is. */
  of: string;
  /** What the call takes when it is not profiled. */
  wallMs: number;
  /** Of it, in kernels. */
  gpuMs: number;
  /** The rest: the host's work that nothing hides, waiting and starting. */
  hostMs: number;
  /** Per call. */
  kernels: (KernelTime & { share: number; gflops: number; gbs: number })[];
}

/** Times every kernel of a call by timestamps; undefined where the adapter has none. */
export async function profile(
  device: Device,
  run: () => void,
  runs: number,
  { name, medianMs }: Measured,
): Promise<Profile | undefined> {
  const times = await timesOf(device, run, runs);
  return times && profileOf(times, runs, name, medianMs);
}

/** The times of all kernels; undefined where the adapter has no timestamps, or none of use. */
export async function timesOf(
  device: Device,
  run: () => void,
  runs: number,
): Promise<KernelTime[] | undefined> {
  try {
    const stop = startProfile(device);
    for (let i = 0; i < runs; i++) run();
    return await stop();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What to say of a profile that there is not. */
export function skippedProfile(times: Profile | undefined): string[] {
  return times
    ? []
    : ['time by kernel: this adapter has no timestamps, or they are too coarse or go backwards'];
}

/** The profile of a call that takes `wallMs`, from the times of so many `runs`. */
export function profileOf(times: readonly KernelTime[], runs: number, of: string, wallMs: number): Profile {
  const gpuMs = times.reduce((sum, { ms }) => sum + ms, 0) / runs;
  const kernels = times.map(({ name, ...total }) => {
    const [calls, ms, flops, bytes] = [total.calls, total.ms, total.flops, total.bytes].map(
      (all) => all / runs,
    );
    return {
      name,
      calls,
      ms,
      flops,
      bytes,
      share: ms / gpuMs,
      gflops: flops / ms / 1e6,
      gbs: bytes / ms / 1e6,
    };
  });
  return { of, wallMs, gpuMs, hostMs: Math.max(0, wallMs - gpuMs), kernels };
}

/** Kernels below this share are shown together. */
const LEAST_SHARE = 0.01;

/**
 * The table of a whole-model benchmark: rates, also as a share of the `best` of matrix products, and where the time of
 * a call goes.
 */
export function modelTable(
  results: readonly Measured[],
  best: number,
  times: Profile | undefined,
): string[][] {
  return [
    ['', 'ms', 'middle half', 'GFLOP/s', 'of best matmul', ''],
    ...results.map((result) => [
      ...measuredCells(result),
      `${((100 * result.gflops) / best).toFixed(0)} %`,
      '',
    ]),
    ...(times ? [['', '', '', '', '', ''], ...profileRows(times)] : []),
  ];
}

function profileRows({ kernels, hostMs }: Profile): string[][] {
  const large = kernels.filter(({ share }) => share >= LEAST_SHARE);
  const small = kernels.filter(({ share }) => share < LEAST_SHARE);
  const rate = (value: number) => (value > 0 ? significant(value) : '–');
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  // Runs need not be alike: what takes long is divided by how long it took before.
  const whole = (calls: number) => String(Math.round(calls));
  const sum = (pick: (kernel: Profile['kernels'][number]) => number) =>
    small.reduce((total, kernel) => total + pick(kernel), 0);
  return [
    ['kernel', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'],
    ...large.map(({ name, calls, ms, share, gflops, gbs }) => [
      ...[name, whole(calls), significant(ms), percent(share), rate(gflops), rate(gbs)],
    ]),
    [
      `${small.length} others`,
      whole(sum(({ calls }) => calls)),
      significant(sum(({ ms }) => ms)),
      percent(sum(({ share }) => share)),
      '',
      '',
    ],
    ['host, waiting and starting', '', significant(hostMs), '', '', ''],
  ];
}
