/** Benchmarks in a worker of their own: nothing that the page does is timed with them. */
import { adapterName } from '@hrm-webgpu/core';
import { openDevice } from 'hrm-webgpu';
import {
  type Benchmark,
  documentOf,
  pageBenchmarks,
  pageProvenance,
  type Report,
} from 'hrm-webgpu-bench/page';
import { version } from '../../package.json';
import type { BenchOutcome, BenchRequest, Listed } from './api.ts';

/** A result of kernels that were timed. */
interface Timed {
  name: string;
  gflops?: number;
  gbs?: number;
}

export const commands = {
  list: (): Listed[] => pageBenchmarks.map(({ name, summary, duration }) => ({ name, summary, duration })),

  async run({ name, form }: BenchRequest, note: (text: string) => void): Promise<BenchOutcome> {
    const benchmark = pageBenchmarks.find((one) => one.name === name) as Benchmark;
    using device = await openDevice();
    const parts = (form === 'quick' ? benchmark.quickParts : undefined) ?? benchmark.parts ?? [];
    const report = await benchmark.run({ device, parts, form, note });
    const environment = pageProvenance(device, version);
    const { title, table, controls, bars, shown = [], skipped, roofline } = report;
    return {
      finding: {
        ...{ benchmark: name, title, form, table, controls, bars, shown, skipped },
        ...{ adapter: adapterName(device), software: device.adapter.class === 'software' },
        ...{ browser: environment.browser, limits: environment.limits, date: environment.date },
        ...(roofline && { roofline: { fmaGflops: roofline.fmaGflops, copyGBs: roofline.copyGBs } }),
        points: pointsOf(report),
      },
      document: JSON.stringify(documentOf(name, environment, report)),
    };
  },
};

export type BenchCommands = typeof commands;

/** The kernels that compute something: the others have no place under a roofline. */
function pointsOf({ results, roofline }: Report) {
  if (!roofline) return [];
  return (results as readonly Timed[]).flatMap(({ name, gflops = 0, gbs = 0 }) =>
    gflops > 0 && gbs > 0 ? [{ name, gflops, intensity: gflops / gbs }] : [],
  );
}
