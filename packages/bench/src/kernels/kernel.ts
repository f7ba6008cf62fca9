import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import type { Report } from '../report/report.ts';
import { casesOf } from './kernel-cases.ts';
import { COLUMNS_HELP, SEED, timeKernels } from './kernel-times.ts';

export const kernelBenchmark: Benchmark = {
  name: 'kernel',
  summary: 'any kernel by name, at its shapes, against the roofline of the adapter',
  parts: Object.keys(checks),
  choose: 'kernel',
  description: [
    'Times the kernels that are named at the shapes that they have in a training call of the full-size model (hidden 512, 8 heads, 8',
    'puzzles of 82 positions), and those that it does not have at its sizes, or the largest of their test cases, after a comparison',
    'with float64.',
    COLUMNS_HELP,
    `Kernels: ${Object.keys(checks).join(', ')}.`,
  ].join('\n'),
  duration: { full: 120, quick: 40 },
  run,
};

async function run(context: BenchmarkContext): Promise<Report> {
  const { device, parts } = context;
  const cases = parts.flatMap((name) => {
    const check = checks[name];
    const { needs } = check.kernel;
    if (needs && !needs(device.adapter))
      throw new UserError(`this adapter cannot run ${name}: it needs more lanes in a subgroup`);
    return casesOf(device, check);
  });
  const times = await timeKernels(context, cases);
  const settings = { cases: cases.map(({ name, params }) => ({ name, params })), seed: SEED };
  return { title: parts.join(', '), settings, ...times, bars: [] };
}
