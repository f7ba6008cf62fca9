import type { Benchmark } from './benchmark.ts';
import { matmulBenchmark } from './matmul.ts';

/** All benchmarks, in the order in which help lists them. */
export const benchmarks: readonly Benchmark[] = [matmulBenchmark];
