import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import { makeBar, type Report } from '../report/report.ts';
import { FULL_SIZE, KERNEL_PARTS, kernelCases } from './kernel-cases.ts';
import { COLUMNS_HELP, SEED, timeKernels } from './kernel-times.ts';

export const kernelsBenchmark: Benchmark = {
  name: 'kernels',
  summary: 'every kernel of a full-size training call, against the roofline of the adapter',
  parts: KERNEL_PARTS,
  description: [
    'Times each kernel of a training call of the full-size model (hidden 512, 8 heads, 8 puzzles of 82 positions) at',
    'its shapes there, after a comparison with float64.',
    COLUMNS_HELP,
    `Parts: ${KERNEL_PARTS.join(', ')}.`,
    'Bars: each matrix product reaches 30 % of the FMA peak.',
  ].join('\n'),
  duration: { full: 240, quick: 80 },
  run,
};

async function run(context: BenchmarkContext): Promise<Report> {
  const { device, parts } = context;
  const cases = kernelCases(device).filter(({ part }) => parts.includes(part));
  const times = await timeKernels(context, cases);
  const { results, roofline } = times;
  const bars = results.slice(-cases.length).flatMap(({ name, gflops }, i) => {
    if (cases[i].part !== 'matmul') return [];
    return [makeBar(`${name} of the FMA peak`, gflops, roofline.fmaGflops, 'GFLOP/s', 0.3)];
  });
  return {
    title: `kernels of a full-size training call, ${FULL_SIZE.batch} × ${FULL_SIZE.positions} positions`,
    settings: { ...FULL_SIZE, parts: [...new Set(cases.map(({ part }) => part))], seed: SEED },
    ...times,
    bars,
  };
}
