import { attentionBenchmark } from './attention.ts';
import type { Benchmark } from './benchmark.ts';
import { hostBenchmark } from './host.ts';
import { inferBenchmark } from './infer.ts';
import { isaBenchmark } from './isa.ts';
import { kernelsBenchmark } from './kernels.ts';
import { loadBenchmark } from './load.ts';
import { matmulBenchmark } from './matmul.ts';
import { memoryBenchmark } from './memory.ts';
import { peersBenchmark } from './peers/peers.ts';
import { trainStepBenchmark } from './train-step.ts';

/** All benchmarks, in the order in which help lists them. */
export const benchmarks: readonly Benchmark[] = [
  matmulBenchmark,
  kernelsBenchmark,
  attentionBenchmark,
  trainStepBenchmark,
  inferBenchmark,
  memoryBenchmark,
  loadBenchmark,
  hostBenchmark,
  isaBenchmark,
  peersBenchmark,
];
