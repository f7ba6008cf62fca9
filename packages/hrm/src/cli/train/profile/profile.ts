import { type Device, type KernelTime, startProfile, type Work } from '@hrm-webgpu/core';
import type { Trainer } from '../../../training/trainer.ts';
import { bold, print, say } from '../../terminal.ts';
import { profileTable } from './profile-table.ts';

const WARM_UP = 3;
const STEPS = 10;

/**
 * Runs a few training steps and prints where their time goes: the GPU time of each kernel at each shape by timestamps, with
 * the middle half of the steps, and the time of a whole step without them. Saves nothing.
 */
export async function profileTraining(trainer: Trainer): Promise<void> {
  const { device } = trainer.model;
  if (trainer.options.totalSteps < WARM_UP + 2 * STEPS) {
    say(`note: the run has ${trainer.options.totalSteps} steps; the profile goes past its end`);
  }
  const step = async () => {
    await trainer.advance();
    await trainer.settle();
  };
  await watchingShapes(device, async (shapeOf) => {
    for (let i = 0; i < WARM_UP; i++) await step();
    const before = device.stream.dispatchCount;
    const stepMs: number[] = [];
    for (let i = 0; i < STEPS; i++) {
      const started = performance.now();
      await step();
      stepMs.push(performance.now() - started);
    }
    const dispatches = (device.stream.dispatchCount - before) / STEPS;
    const steps: KernelTime[][] = [];
    for (let i = 0; i < STEPS; i++) steps.push(await profileStep(device, step, shapeOf));
    const [header, ...lines] = profileTable(steps, stepMs, dispatches);
    print(bold(header));
    for (const line of lines) print(line);
  });
}

/** Runs `body`, which may ask for the shape of any dispatch of its own by the work that it was launched with. */
async function watchingShapes(
  device: Device,
  body: (shapeOf: (work: Work) => string | undefined) => Promise<void>,
): Promise<void> {
  const shapes = new WeakMap<Work, string>();
  const run = device.run;
  device.run = (launch) => {
    if (launch.work) shapes.set(launch.work, shapeText(launch.params));
    run.call(device, launch);
  };
  try {
    await body((work) => shapes.get(work));
  } finally {
    device.run = run;
  }
}

/** The times of a step, by kernel and shape: `matmul m=272 n=384 k=128`. */
async function profileStep(
  device: Device,
  step: () => Promise<void>,
  shapeOf: (work: Work) => string | undefined,
): Promise<KernelTime[]> {
  const stop = startProfile(device);
  const timer = device.stream.profiler;
  if (timer) {
    device.stream.profiler = {
      batch() {
        const times = timer.batch();
        return {
          ...times,
          timestamps: (name, work) => times.timestamps(`${name} ${shapeOf(work) ?? 'a part'}`, work),
        };
      },
    };
  }
  await step();
  return stop();
}

/** `m=272 n=384 k=128`: the extents, without numbers that are none. */
function shapeText(params: Readonly<Record<string, number>> = {}): string {
  return Object.entries(params)
    .filter(([name, value]) => Number.isInteger(value) && value > 1 && !NO_EXTENTS.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** Strides, what is divided (`first`, `count`) and random keys. */
const NO_EXTENTS = /^(a_|first|count|key|stream)/;
