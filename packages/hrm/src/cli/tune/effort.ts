/** How much work tuning is, told before it begins. */
import type { AdapterDescription, Device } from '@hrm-webgpu/core';
import { suits } from '@hrm-webgpu/kernels';
import { settingsOf } from '@hrm-webgpu/kernels/checks';
import type { Use } from '@hrm-webgpu/kernels/operation';

type AdapterClass = AdapterDescription['class'];

/** What trying ways costs, roughly: seen on llvmpipe with 2 cores, guessed for GPUs. */
const FLOPS_PER_SECOND: Record<AdapterClass, number> = { software: 3e10, gpu: 3e12 };
const COMPILE_SECONDS: Record<AdapterClass, number> = { software: 0.6, gpu: 0.1 };
/** Results are read and compared on the host. */
const CHECKED_BYTES_PER_SECOND = 5e8;
/** Runs of a way with what it is compared with, and how long each takes at least. */
const RUNS = 15;
const LEAST_SECONDS = 0.008;

/** An upper bound of the ways to do an operation that tuning tries, and a rough one of the time. */
export function effortOf(device: Device, { operation, params }: Use): { ways: number; seconds: number } {
  const kernels = operation.kernels.filter((kernel) => suits(kernel, device));
  const ways = kernels.reduce((sum, kernel) => {
    const settings = Object.values(settingsOf(operation, kernel, params));
    return sum + 1 + settings.reduce((count, values) => count + values.length, 0);
  }, 0);
  const [kernel] = kernels;
  const { adapter } = device;
  const run = Math.max(LEAST_SECONDS, kernel.flops(params) / FLOPS_PER_SECOND[adapter.class]);
  const once = COMPILE_SECONDS[adapter.class] + kernel.bytes(params) / CHECKED_BYTES_PER_SECOND;
  return { ways, seconds: ways * (once + RUNS * run) };
}
