/** What a process holds while it trains for long, and loads again and again. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { built, inOwnProcess } from '../own-process.ts';
import { IS_SOAK } from './disturbed-run.ts';

const STEPS = IS_SOAK ? 20_000 : 320;
const ROUNDS = IS_SOAK ? 200 : 12;
const SAMPLES = 20;
const WARM_UP = IS_SOAK ? 50 : 8;
/** Pools of threads, the driver's and Node's, grow to their size whenever they are needed; one that is lost each round is more. */
const POOLS = 8;

const MODEL = JSON.stringify(fileURLToPath(new URL('../fixtures/trained-6x6', import.meta.url)));

interface Sample {
  descriptors: number;
  threads: number;
  kB: number;
  heap: number;
  gpu: number;
  tensors: number;
  rate: number;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const quarters = (values: readonly number[]) => {
  const quarter = Math.floor(values.length / 4);
  return [values.slice(0, quarter), values.slice(-quarter)].map(median);
};

/** What is left of the first samples, in which buffers are made and the compiler of JavaScript is at work. */
const settled = <T>(samples: readonly T[]) => samples.slice(2);

it.runIf(process.platform === 'linux')(
  `${STEPS} steps of training leave GPU bytes, descriptors and threads as they are`,
  () => {
    const samples: Sample[] = inOwnProcess(`
      import { openDevice } from ${built('core')};
      import { buildSudokuSplits, DEFAULT_ARCH, DEFAULT_TRAIN, sudokuShape, Trainer } from ${built('hrm')};
      const counts = { train: 64, validation: 1, test: 1 };
      const { train: split } = buildSudokuSplits({ shape: sudokuShape(4), minBlanks: 4, maxBlanks: 6, seed: 0, ...counts });
      const config = { ...DEFAULT_ARCH, hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32,
        halt_max_steps: 2, vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 };
      const train = { ...DEFAULT_TRAIN, global_batch_size: 8, lr: 1e-3, lr_warmup_steps: 5 };
      const device = await openDevice();
      const trainer = await Trainer.start(device, { config, train, split, totalSteps: ${STEPS} });
      const samples = [];
      for (let i = 0; i < ${SAMPLES}; i++) {
        const start = performance.now();
        for (let step = 0; step < ${STEPS / SAMPLES}; step++) await trainer.advance();
        await trainer.settle();
        const rate = ${STEPS / SAMPLES} / ((performance.now() - start) / 1000);
        gc();
        const { liveBytes: gpu } = device.memory;
        samples.push({ ...standing(), heap: process.memoryUsage().heapUsed, gpu, tensors: device.tensors.size, rate });
      }
      trainer.dispose();
      device.close();
      console.log(JSON.stringify(samples));`);
    const later = settled(samples);
    for (const key of ['gpu', 'tensors', 'descriptors', 'threads'] as const)
      expect(new Set(later.map((sample) => sample[key])).size, key).toBe(1);
    const [heapBefore, heapAfter] = quarters(later.map(({ heap }) => heap));
    const [before, after] = quarters(later.map(({ rate }) => rate));
    const kB = later.map((sample) => sample.kB);
    console.log(
      `${STEPS} steps: ${later[0].gpu} GPU bytes, ${later[0].descriptors} descriptors, ${later[0].threads} threads at each ` +
        `of ${later.length} looks; heap ${heapBefore} bytes in the first quarter, ${heapAfter} in the last; ` +
        `resident ${kB[0]} kB, then ${kB.at(-1)} kB; ${before.toFixed(1)} steps/s, then ${after.toFixed(1)} ` +
        `(from ${Math.min(...later.map(({ rate }) => rate)).toFixed(1)} to ${Math.max(...later.map(({ rate }) => rate)).toFixed(1)})`,
    );
    // Code that is compiled late takes some of it; a report that was kept would take 400 bytes a step.
    if (IS_SOAK) expect((heapAfter - heapBefore) / (STEPS / 2)).toBeLessThan(20);
  },
  IS_SOAK ? 3_600_000 : 60_000,
);

it.runIf(process.platform === 'linux')(
  `${ROUNDS} rounds of opening, loading, solving and failing leave nothing`,
  () => {
    const { first, last, failed } = inOwnProcess(`
      import { openDevice } from ${built('core')};
      import { HRM } from ${built('hrm')};
      const bytes = readFileSync(${MODEL} + '/checkpoint');
      const config = readFileSync(${MODEL} + '/all_config.yaml', 'utf8');
      const grid = [...'4...212315...4..636....5..4.5..6....'].map((c) => Number(c) || 0);
      const rows = Array.from({ length: 6 }, (_, i) => grid.slice(6 * i, 6 * i + 6));
      async function solve() {
        const device = await openDevice();
        const model = await HRM.load(${MODEL}, { device });
        await model.solve(rows);
        model.dispose();
        if (device.tensors.size > 0) throw new Error('tensors are left');
        device.close();
      }
      const device = await openDevice();
      let failed = 0;
      async function fail(i) {
        const live = device.memory.liveBytes;
        const cut = bytes.subarray(0, Math.floor((bytes.length * (i % 7)) / 7));
        const other = config.replace(/hidden_size: \\d+/, 'hidden_size: 64');
        for (const attempt of [
          () => HRM.load(cut, { device, config }),
          () => HRM.load(bytes, { device, config: other }),
          () => HRM.load('/nonexistent/checkpoint', { device }),
        ])
          await attempt().then((model) => model.dispose(), () => { failed += 1; });
        if (device.memory.liveBytes !== live || device.tensors.size > 0) throw new Error('GPU memory is left');
      }
      for (let i = 0; i < ${WARM_UP}; i++) { await solve(); await fail(i); }
      gc();
      const first = standing();
      for (let i = 0; i < ${ROUNDS}; i++) { await solve(); await fail(i); }
      // Threads of a device that was closed take a moment to end.
      for (let i = 0; i < 50 && standing().threads > first.threads; i++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      gc();
      console.log(JSON.stringify({ first, last: standing(), failed }));
      device.close();`);
    expect(failed).toBe(3 * (ROUNDS + WARM_UP));
    expect(last.descriptors).toBe(first.descriptors);
    expect(last.threads - first.threads).toBeLessThanOrEqual(POOLS);
    console.log(
      `${ROUNDS} rounds, ${failed} failed loads: ${last.descriptors} descriptors before and after, ${first.threads} threads, then ${last.threads}; ` +
        `resident ${first.kB} kB, then ${last.kB} kB`,
    );
  },
  IS_SOAK ? 3_600_000 : 60_000,
);
