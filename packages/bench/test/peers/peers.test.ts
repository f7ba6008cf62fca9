import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareResults } from '../../src/peers/compare.ts';
import { type Contestant, preparePeer } from '../../src/peers/contest.ts';
import { installPeers } from '../../src/peers/install.node.ts';
import type { PeerProcess } from '../../src/peers/peer-process.node.ts';
import { reportOf } from '../../src/peers/report.ts';
import type { Task } from '../../src/peers/task.ts';
import { passed } from '../../src/report/report.ts';

describe('compareResults', () => {
  const ours = { y: { data: [1, 100, -3] }, sum: { data: [0.001], scale: 10 } };
  const theirs = (y: number[], sum: number) => ({
    y: { shape: [3], data: Float32Array.from(y) },
    sum: { shape: [], data: Float32Array.of(sum) },
  });
  const compare = (y: number[], sum: number) =>
    compareResults('jax-js, attention', ours, theirs(y, sum), 1e-3);

  it('lets differences within the tolerance pass, relative to the largest number or the scale given', () => {
    expect(compare([1.05, 100, -3], 0.001)).toBeCloseTo(0.5);
    expect(compare([1, 100, -3], 0.009)).toBeCloseTo(0.8);
  });

  it.each([
    [[1, 100.2, -3], 0.001, "'y' at 1 is 100.19"],
    [[1, 100, -3], 0.02, "'sum' at 0 is 0.0199"],
    [[Number.NaN, 101, -3], 0.001, "'y' at 0 is NaN"],
    [[1, 100], 0.001, "expected 3 numbers for 'y', got 2 numbers"],
  ])('refuses %j and %d', (y, sum, message) => {
    expect(() => compare(y, sum)).toThrow(message);
  });

  it('refuses a result that is missing', () => {
    expect(() => compareResults('tfjs', ours, {}, 1e-3)).toThrow("expected 3 numbers for 'y', got nothing");
  });
});

describe('installPeers', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'peers-'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: { node: '22.0.0' } }));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const notes: string[] = [];
  const install = (script: string) =>
    installPeers((text) => notes.push(text), folder, [process.execPath, '-e', script, '--']);

  it('says what to do when npm fails, with what npm said', async () => {
    await expect(install("console.error('npm error code ENOTFOUND'); process.exitCode = 1")).rejects.toThrow(
      /could not be installed: npm ci ended with 1:\nnpm error code ENOTFOUND\n.*npm registry; once it can be reached, run/,
    );
    expect(notes.at(-1)).toContain('installing the peers');
  });

  it('says so when the packages bring no Node', async () => {
    await expect(install('')).rejects.toThrow(
      /there is no .*node afterwards; were install scripts switched off/,
    );
  });

  it('does nothing when they are there in the right version', async () => {
    const node = join(folder, 'node_modules/node');
    mkdirSync(join(node, 'bin'), { recursive: true });
    writeFileSync(join(node, 'package.json'), JSON.stringify({ version: '22.0.0' }));
    const binary = join(node, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    writeFileSync(binary, '');
    const marker = join(folder, 'npm was called');
    const script = `require('fs').writeFileSync(${JSON.stringify(marker)}, '')`;
    expect(await install(script)).toBe(binary);
    expect(existsSync(marker)).toBe(false);
    writeFileSync(join(node, 'package.json'), JSON.stringify({ version: '21.0.0' }));
    await install(script);
    expect(existsSync(marker)).toBe(true);
  });
});

it('the report has a bar for each peer with a goal, and one for memory', () => {
  const times = (ms: number) => ({
    candidate: { name: '', run: () => {} },
    runsPerSample: 1,
    msPerRun: ms,
    samplesMs: [ms, ms, ms],
  });
  const task = { name: 'a call', memoryGoal: 2 } as Task;
  const part = {
    name: 'training',
    peers: ['jax-js', 'tfjs'] as const,
    goals: { 'jax-js': 3 },
    tasks: async () => [task],
  };
  const control = { name: 'a call against itself', ratio: 1, low: 0.99, high: 1.01, widest: 0.06, ok: true };
  const report = (theirMs: number, theirBytes: number) => {
    const speedup = { ratio: theirMs / 10, low: theirMs / 11, high: theirMs / 9 };
    const peer = {
      name: 'jax-js',
      timed: times(theirMs),
      speedup,
      difference: 0.1,
      peakBytes: theirBytes,
    } as const;
    const other = { ...peer, name: 'tfjs', timed: times(5) } as const;
    return reportOf(
      [{ part, control, contests: [{ task, ours: times(10), peers: [peer, other], peakBytes: 100 }] }],
      {},
    );
  };
  expect(report(40, 250).bars).toMatchObject([
    { name: 'a call: ≥ 3 × jax-js', ours: 100, peer: 25, ratio: 4, goal: 3, ok: true },
    { name: 'a call: jax-js needs ≥ 2 × our GPU memory', ratio: 2.5, goal: 2, ok: true },
  ]);
  expect(report(40, 250).bars.length).toBe(2);
  expect(report(40, 250).table[1].slice(1, 4)).toEqual(['10.0', '40.0', '5.00']);
  expect(report(40, 250).results).toMatchObject([
    { name: 'a call, ours', samplesMs: [10, 10, 10] },
    { name: 'a call, jax-js', samplesMs: [40, 40, 40], speedup: { ratio: 4 } },
    { name: 'a call, tfjs', samplesMs: [5, 5, 5] },
    { name: 'a call, memory of ours', peakBytes: 100 },
    { name: 'a call, memory of jax-js', peakBytes: 250 },
    { name: 'a call, memory of tfjs', peakBytes: 250 },
  ]);
  expect(passed(report(40, 250))).toBe(true);
  expect(passed(report(29, 250))).toBe(false);
  expect(passed(report(40, 199))).toBe(false);
});

it("a peer's memory is that of one run, however many make a sample", async () => {
  const process = {
    prepare: async () => ({ y: { shape: [1], data: Float32Array.of(1) } }),
    run: async (_: string, times: number) => ({ ms: 2 * times, peakBytes: 64 * times }),
  } as unknown as PeerProcess;
  const contestant: Contestant = { name: 'jax-js', process };
  const task = {
    name: 'a call',
    peerTask: { name: 'training', params: {} },
    tensors: {},
    tolerance: 1,
  } as Task;
  const stopwatch = (candidate: object, runs: number) =>
    (candidate as { measure(runs: number): Promise<number> }).measure(runs);
  const { calibrated, peakBytes } = await preparePeer(contestant, task, { y: { data: [1] } }, stopwatch);
  expect(calibrated.runsPerSample).toBeGreaterThan(20);
  expect(peakBytes).toBe(64);
});
