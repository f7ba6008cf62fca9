export type { Benchmark, BenchmarkContext } from './benchmark.ts';
export { benchmarks } from './benchmarks.ts';
export { type Bar, type Control, formatReport, passed, type Report } from './report.ts';
