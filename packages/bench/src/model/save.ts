import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '@hrm-webgpu/core';
import {
  buildSudokuSplits,
  DEFAULT_TRAIN,
  encodeTraining,
  openTensorFile,
  sudokuShape,
  Trainer,
} from 'hrm-webgpu';
import { fileSource, writeFileAtomic } from 'hrm-webgpu/node';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import { makeBar, type Report } from '../report/report.ts';
import { median } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';
import { FULL_MODEL } from './hrm-cases.ts';

/** A save, and the steps of training beside it. */
export interface Save {
  /** From its beginning until it is on the disk. */
  seconds: number;
  /** What each step took that was made meanwhile, and what one takes by itself. */
  besideMs: number[];
  stepMs: number;
}

const ROWS = 2;
const SAVES = { full: 5, quick: 2 };
/** Undisturbed, before each save. */
const STEPS = 3;
/** Training may stop for so many steps' time. */
const ALLOWED = 2;

export const saveBenchmark: Benchmark = {
  name: 'save',
  summary: 'saving a training run of 27 M parameters while it goes on: what it costs the steps',
  description: [
    `Trains the published model at batch ${ROWS}, and saves everything that training goes on from (328 MB), as hrm train does: the`,
    'state is copied between two steps, encoded and written beside the steps that follow. Each file is read again, and its',
    'checksums must be right. By turns with undisturbed steps. The longest step beside a save, and the time lost to it, are in',
    'steps. Bar: that time. On a software adapter the encoding takes its processors from the steps.',
  ].join('\n'),
  duration: { full: 120, quick: 60 },
  ownKernels: true,
  run,
};

async function run({ device, form, note }: BenchmarkContext): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-bench-save-'));
  note('recording a step…');
  using trainer = await trainerOf(device);
  try {
    await stepsOf(trainer, 2);
    const path = join(folder, 'checkpoint.safetensors');
    const saves: Save[] = [];
    for (let i = 0; i < SAVES[form]; i++) {
      note(`save ${i + 1} of ${SAVES[form]}…`);
      saves.push(await saveOnce(trainer, path));
      await expectWhole(path);
    }
    return saveReport(statSync(path).size, saves);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function trainerOf(device: Device): Promise<Trainer> {
  const counts = { train: 64, validation: 1, test: 1 };
  const shape = sudokuShape(9);
  const { train: split } = buildSudokuSplits({ shape, minBlanks: 30, maxBlanks: 40, seed: 1, ...counts });
  const train = { ...DEFAULT_TRAIN, global_batch_size: ROWS };
  return Trainer.start(device, { config: FULL_MODEL, train, split, totalSteps: 1000 });
}

/** Makes steps, and returns the time between the ends of each two in ms. */
async function stepsOf(trainer: Trainer, count: number, isDone = () => false): Promise<number[]> {
  const times: number[] = [];
  for (let last = performance.now(); times.length < count && !isDone(); ) {
    await trainer.advance();
    await trainer.settle();
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times;
}

async function saveOnce(trainer: Trainer, path: string): Promise<Save> {
  const stepMs = median(await stepsOf(trainer, STEPS));
  const start = performance.now();
  let seconds: number | undefined;
  const save = async () => {
    const chunks = await trainer.atStep(() => encodeTraining(trainer, {}));
    await writeFileAtomic(path, chunks);
    seconds = (performance.now() - start) / 1000;
  };
  const saving = save();
  const besideMs = await stepsOf(trainer, Number.POSITIVE_INFINITY, () => seconds !== undefined);
  await saving;
  return { seconds: seconds as number, besideMs, stepMs };
}

/** @throws UserError where a checksum is wrong */
async function expectWhole(path: string): Promise<void> {
  const file = await openTensorFile(await fileSource(path));
  try {
    for (const name of file.names) for await (const _ of file.pieces(name));
  } finally {
    await file.close();
  }
}

/** The report on several saves of a file of `size` bytes. */
export function saveReport(size: number, saves: readonly Save[]): Report {
  const lost = saves.map(
    ({ besideMs, stepMs }) => besideMs.reduce((sum, ms) => sum + ms, 0) / stepMs - besideMs.length,
  );
  const longest = saves.map(({ besideMs, stepMs }) => Math.max(...besideMs) / stepMs);
  const rows = saves.map(({ seconds, besideMs, stepMs }, i) => [
    `save ${i + 1}`,
    ...[seconds, stepMs, besideMs.length, longest[i], lost[i]].map(significant),
  ]);
  const results = [
    { name: 'save', samplesMs: saves.map(({ seconds }) => 1000 * seconds) },
    { name: 'a step', samplesMs: saves.map(({ stepMs }) => stepMs) },
  ];
  return {
    title: `saving a run of ${(size / 1e6).toFixed(0)} MB while it goes on`,
    settings: { saves: saves.length, rows: ROWS, bytes: size },
    results,
    table: [['', 'seconds', 'ms a step', 'steps beside', 'longest', 'lost'], ...rows],
    shown: [`the longest step beside a save: ${significant(median(longest))} × one without`],
    skipped: [],
    controls: [],
    bars: [makeBar('time lost to a save: allowed against measured', ALLOWED, median(lost), 'steps', 1)],
  };
}
