import { type Device, Philox } from '@hrm-webgpu/core';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import type { Report } from '../report/report.ts';
import { attentionPart } from './attention-part.ts';
import { holdContests } from './contest.ts';
import { matmulPart } from './matmul-part.ts';
import { type PartResult, reportOf } from './report.ts';
import type { Task } from './task.ts';
import { trainingPart } from './training-part.ts';

const SEED = 1;

const PARTS = ['matmul', 'attention', 'training'];

export const peersBenchmark: Benchmark = {
  name: 'peers',
  summary: 'side by side with jax-js and TensorFlow.js: products, attention, a training call',
  parts: PARTS,
  description: [
    'Compares with jax-js and the WebGPU backend of TensorFlow.js, each in a process of its own, on the same adapter',
    'and with the same version of Dawn and its defaults. They are installed into packages/bench/peers when they are',
    'missing. Results are compared first; then every round times all by turns, those of a task right after each other,',
    'while the others wait; ratios are medians over the rounds. The quickest of ours, or a smaller',
    'one where that takes seconds, is timed under two more names, which must come out the same: the control. Everyone waits',
    "for the GPU in its own way: Dawn's keeps a core busy, which a software adapter then lacks; this engine rests. Parts:",
    '  matmul     the linear layers of a block and their gradients, at 656 tokens',
    '  attention  attention forward and backward, 82 and 901 tokens (no bar for TensorFlow.js)',
    '  training   one HRM training call of a small model, with GPU memory at the peak',
    "Most of the time is the peers' own.",
  ].join('\n'),
  duration: { full: 1200 },
  ownKernels: true,
  needsCheckout: true,
  run: runPeers,
};

async function runPeers({ device, note, parts: chosen }: BenchmarkContext): Promise<Report> {
  const random = new Philox(SEED, 0);
  const results: PartResult[] = [];
  let versions: Record<string, string> = {};
  for (const part of partsOf(device)) {
    if (!chosen.includes(part.name)) continue;
    // Processes of its own for each part: none inherits memory from the one before. Imported here, since the list of
    // benchmarks itself needs no Node.
    const { startPeers } = await import('./start.node.ts');
    const { contestants, close } = await startPeers(part.peers, device.adapter, note);
    const tasks: Task[] = [];
    try {
      for (const { name, process } of contestants) versions = { ...versions, [name]: process.hello.version };
      tasks.push(...(await part.tasks()));
      results.push({ part, ...(await holdContests(device, tasks, contestants, random, note, part.control)) });
    } finally {
      for (const task of tasks) task.dispose();
      await close();
    }
  }
  return reportOf(results, { seed: SEED, peers: versions, parts: results.map(({ part }) => part.name) });
}

const partsOf = (device: Device) => [matmulPart(device), attentionPart(device), trainingPart(device)];
