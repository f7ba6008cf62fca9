import { type AdapterDescription, Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { hostReport } from '../../src/host/encode.ts';
import { isaReport } from '../../src/isa/isa.ts';
import { ISA_KERNELS, variantsFor } from '../../src/isa/isa-variants.ts';
import { loadReport } from '../../src/model/load.ts';
import { memoryReport } from '../../src/model/memory.ts';
import { saveReport } from '../../src/model/save.ts';
import { reportOf as peersReport } from '../../src/peers/report.ts';
import type { Task } from '../../src/peers/task.ts';
import { compareDocuments } from '../../src/report/compare.ts';
import { type BenchDocument, parseDocument } from '../../src/report/document.node.ts';
import { documentOf } from '../../src/report/document.ts';
import { formatReport, type Report } from '../../src/report/report.ts';
import { measured } from '../../src/timing/measured.ts';
import { profileOf } from '../../src/timing/profile-table.ts';

const adapter: AdapterDescription = {
  vendor: 'v',
  architecture: 'a',
  device: 'd',
  description: 'gpu',
  class: 'gpu',
  subgroupMinSize: 64,
};

/** `scale` makes a later run, in which everything takes or needs so much more. */
type Run = (scale: number) => Report | Promise<Report>;

const samples = (ms: number) => Array.from({ length: 9 }, (_, i) => ms * (1 + 0.001 * i));

const timed = (name: string, ms: number) => ({
  candidate: { name, run: () => {} },
  ...{ runsPerSample: 1, msPerRun: ms, samplesMs: samples(ms) },
});

const empty = { settings: {}, table: [['']], skipped: [], controls: [], bars: [] };

/** What `npm run bench -- matmul | kernels | attention | train-step | infer` measure are such results. */
const times: Run = (scale) => ({
  ...empty,
  title: 'times',
  results: [measured(timed('x·Wᵀ 656×512→1536', 4 * scale), 1e9), { name: 'first call', seconds: scale }],
  profile: profileOf([{ name: 'matmul', calls: 2, ms: 1, flops: 4e6, bytes: 2e6 }], 2, 'a call', 0.75),
});

const peers: Run = (scale) => {
  const task = { name: 'a call', memoryGoal: 2 } as Task;
  const speedup = { ratio: 4, low: 3, high: 5 };
  const theirs = { ...{ timed: timed('a call', 40), speedup, difference: 0.1 }, peakBytes: 300 };
  const contest = {
    ...{ task, ours: timed('a call', 10 * scale), peakBytes: 100 * scale },
    peers: [{ name: 'jax-js', ...theirs } as const, { name: 'tfjs', ...theirs } as const],
  };
  const part = { name: 'training', peers: ['jax-js', 'tfjs'] as const, goals: {}, tasks: async () => [task] };
  const control = { name: 'itself', ratio: 1, low: 0.99, high: 1.01, widest: 0.06, ok: true };
  return peersReport([{ part, control, contests: [contest] }], {});
};

const load: Run = (scale) => {
  const loads = [1, 1.01, 1.02].map((seconds) => ({
    ...{ seconds: seconds * scale, risenBytes: 2e8 * scale, longestBlockMs: 20 * seconds * scale },
  }));
  return loadReport(1e8, loads);
};

const save: Run = (scale) =>
  saveReport(
    1e8,
    [1, 1.01, 1.02].map((seconds) => ({
      ...{ seconds: seconds * scale, besideMs: [250, 210], stepMs: 200 * scale * seconds },
    })),
  );

const memory: Run = (scale) =>
  memoryReport([
    { name: 'batch 8', peakBytes: 1000 * scale },
    { name: 'batch 16', peakBytes: 2000 },
  ]);

const host: Run = (scale) => {
  const random = new Philox(1);
  const [hostUs, floorUs] = [scale, 1].map((factor) =>
    Float64Array.from({ length: 10_000 }, () => factor * (100 + random.uniform())),
  );
  return hostReport({ hostUs, floorUs }, 40, { bytes: 1e6, heap: 1e7 }, { bytes: 1e6, heap: 1e7 });
};

const isa: Run = async (scale) => {
  const { variants, skipped } = variantsFor(adapter, ISA_KERNELS);
  const stats = {
    ...{
      vgprs: 64 * scale,
      sgprs: 32,
      spilledVgprs: 0,
      spilledSgprs: 0,
      ldsBytes: 0,
      waves: 4,
      codeBytes: 9,
    },
    ...{ instructions: 5, latency: 10, inverseThroughput: 10 },
    innerLoop: { fmas: 256, memory: 28, instructions: 300 },
  };
  const compiled = variants.map((variant) => ({ ...variant, ...stats }));
  return isaReport({ plan: { adapter, variants, skipped }, compiled, ruledOut: [] });
};

async function documentFrom(run: Run, scale: number, file: string): Promise<BenchDocument> {
  const document = documentOf('any', { adapter }, await run(scale));
  return parseDocument(JSON.stringify(document, null, 2), file);
}

describe.each([
  ['times', times, ['x·Wᵀ 656×512→1536'], ['first call']],
  ['peers', peers, ['a call, ours'], ['a call, memory of ours']],
  ['load', load, ['load', 'longest pause'], ['memory at the peak']],
  ['save', save, ['save', 'a step'], []],
  ['memory', memory, [], ['batch 8']],
  ['host', host, [], ['all steps', 'the first after waiting', 'first 2500', 'last 2500']],
  ['isa', isa, [], undefined],
])('a document of the kind %s', (_, run, slower, changed) => {
  it('compares with itself', async () => {
    const document = await documentFrom(run, 1, 'a.json');
    const { changes, numbers, sameNumbers, warnings } = compareDocuments(document, document);
    expect(changes.filter(({ verdict }) => verdict !== 'no change')).toEqual([]);
    expect(numbers).toEqual([]);
    expect(warnings).toEqual([]);
    expect(changes.length + sameNumbers).toBeGreaterThan(0);
  });

  it('is shown in 80 columns', async () => {
    for (const line of formatReport(await run(1)).split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('shows what has changed', async () => {
    const [before, after] = [await documentFrom(run, 1, 'a.json'), await documentFrom(run, 2, 'b.json')];
    const { changes, numbers, warnings } = compareDocuments(before, after);
    expect(warnings).toEqual([]);
    expect(changes.filter(({ verdict }) => verdict === 'slower').map(({ name }) => name)).toEqual(slower);
    const names = [...new Set(numbers.map(({ name }) => name))];
    expect(names).toEqual(changed ?? [...before.results.keys()]);
  });
});

it('a document has the profile of a call, and not the table', async () => {
  const document = documentOf('infer', { adapter }, await times(1));
  expect(document).toMatchObject({
    profile: {
      ...{ of: 'a call', wallMs: 0.75, gpuMs: 0.5, hostMs: 0.25 },
      kernels: [{ name: 'matmul', calls: 1, ms: 0.5, flops: 2e6, bytes: 1e6, share: 1, gflops: 4, gbs: 2 }],
    },
  });
  expect(document).not.toHaveProperty('table');
});
