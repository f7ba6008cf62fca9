/** Benchmarks that run in a page, and what there is to show of them. Runs anywhere. */
import type { Device } from '@hrm-webgpu/core';
import { attentionBenchmark } from './kernels/attention.ts';
import { kernelsBenchmark } from './kernels/kernels.ts';
import { matmulBenchmark } from './kernels/matmul.ts';
import { trainStep } from './model/train-step.ts';
import type { Benchmark } from './report/benchmark.ts';

export type { Benchmark, BenchmarkContext, Form } from './report/benchmark.ts';
export { documentOf } from './report/document.ts';
export { type Bar, type Control, passed, type Report } from './report/report.ts';
export { type PlotPoint, type RooflineGeometry, rooflineGeometry } from './report/roofline-geometry.ts';
export type { Roofline } from './timing/roofline.ts';
export { significant } from './timing/table.ts';

/** Those of `bench all` that need nothing of Node's. */
export const pageBenchmarks: readonly Benchmark[] = [
  matmulBenchmark,
  kernelsBenchmark,
  attentionBenchmark,
  trainStep(),
];

/** The name and version in a browser's long description of itself: the first that is there, as many name others too. */
export function browserName(userAgent: string): string {
  for (const name of ['Firefox', 'Edg', 'OPR', 'HeadlessChrome', 'Chrome', 'Version']) {
    const [, version] = userAgent.match(new RegExp(`\\b${name}/([\\d.]+)`)) ?? [];
    if (version) return `${name === 'Version' ? 'Safari' : name} ${version}`;
  }
  return userAgent;
}

/** Where a measurement was made, as far as a browser tells. `bench compare` names what differs from other documents. */
export interface PageProvenance {
  date: string;
  adapter: Device['adapter'];
  /** Of the device, where kernels depend on them. */
  limits: Device['limits'];
  /** Name and version. */
  browser: string;
  os: string;
  cpu: string;
  /** Of hrm-webgpu. */
  version: string;
  commit: null;
}

/** @param version of hrm-webgpu */
export function pageProvenance({ adapter, limits }: Device, version: string): PageProvenance {
  const { userAgent, platform, hardwareConcurrency } = navigator;
  return {
    date: new Date().toISOString(),
    adapter,
    limits,
    browser: browserName(userAgent),
    os: platform,
    cpu: `${hardwareConcurrency} ×`,
    version,
    commit: null,
  };
}
