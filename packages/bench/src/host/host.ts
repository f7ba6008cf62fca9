import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import type { Report } from '../report/report.ts';
import { cutDescription, cutReport } from './cut.ts';
import { encodeDescription, encodeReport } from './encode.ts';

const PARTS: Readonly<Record<string, (context: BenchmarkContext) => Promise<Report>>> = {
  encode: encodeReport,
  cut: cutReport,
};

export const hostBenchmark: Benchmark = {
  name: 'host',
  summary: 'what the host does for a dispatch in replay, and what it costs to submit a step in pieces',
  parts: Object.keys(PARTS),
  quickParts: ['encode'],
  duration: { full: 480, quick: 60 },
  description: [encodeDescription, cutDescription].join('\n'),
  run,
};

async function run(context: BenchmarkContext): Promise<Report> {
  const reports: Report[] = [];
  for (const part of context.parts) reports.push(await PARTS[part](context));
  return {
    title: reports.map(({ title }) => title).join('; '),
    settings: Object.assign({ parts: context.parts }, ...reports.map(({ settings }) => settings)),
    results: reports.flatMap(({ results }) => results),
    table: reports.flatMap(({ table }) => table),
    skipped: [],
    controls: reports.flatMap(({ controls }) => controls),
    bars: reports.flatMap(({ bars }) => bars),
  };
}
