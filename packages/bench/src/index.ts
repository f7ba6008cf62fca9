export { benchmarks } from './benchmarks.ts';
export type { Benchmark, BenchmarkContext } from './report/benchmark.ts';
export { type Bar, type Control, formatReport, passed, type Report } from './report/report.ts';
