import { browserBenchmark } from './browser/browser.ts';
import { webPageBenchmark } from './browser/web-page.ts';
import { hostBenchmark } from './host/host.ts';
import { isaBenchmark } from './isa/isa.ts';
import { attentionBenchmark } from './kernels/attention.ts';
import { kernelBenchmark } from './kernels/kernel.ts';
import { kernelsBenchmark } from './kernels/kernels.ts';
import { matmulBenchmark } from './kernels/matmul.ts';
import { timeFirstCall } from './model/first-call-process.node.ts';
import { inferBenchmark } from './model/infer.ts';
import { loadBenchmark } from './model/load.ts';
import { memoryBenchmark } from './model/memory.ts';
import { saveBenchmark } from './model/save.ts';
import { trainStep } from './model/train-step.ts';
import { peersBenchmark } from './peers/peers.ts';
import type { Benchmark } from './report/benchmark.ts';

/** What `bench all` runs: all that tells of the adapter and the machine, and installs nothing. */
export const suite: readonly Benchmark[] = [
  matmulBenchmark,
  kernelsBenchmark,
  attentionBenchmark,
  trainStep(timeFirstCall),
  inferBenchmark,
  memoryBenchmark,
  loadBenchmark,
  saveBenchmark,
  hostBenchmark,
];

/** All benchmarks, in the order in which help lists them. */
export const benchmarks: readonly Benchmark[] = [
  ...suite,
  kernelBenchmark,
  browserBenchmark,
  webPageBenchmark,
  isaBenchmark,
  peersBenchmark,
];
