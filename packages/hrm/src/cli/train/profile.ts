import { type KernelTime, startProfile } from '@hrm-webgpu/core';
import type { Trainer } from '../../training/trainer.ts';
import { bold, dim, print, say } from '../terminal.ts';

const WARM_UP = 3;
const STEPS = 10;

/**
 * Runs a few training steps and prints where their time goes: the GPU time of each kernel by timestamps, and the time
 * of a whole step without them. Saves nothing.
 */
export async function profileTraining(trainer: Trainer): Promise<void> {
  const { device } = trainer.model;
  if (trainer.options.totalSteps < WARM_UP + 2 * STEPS) {
    say(`note: the run has ${trainer.options.totalSteps} steps; the profile goes past its end`);
  }
  const run = async (steps: number) => {
    for (let i = 0; i < steps; i++) await trainer.advance();
    await trainer.settle();
  };
  await run(WARM_UP);
  const before = device.stream.dispatchCount;
  const started = performance.now();
  await run(STEPS);
  const msPerStep = (performance.now() - started) / STEPS;
  const dispatches = (device.stream.dispatchCount - before) / STEPS;

  const stop = startProfile(device);
  await run(STEPS);
  const times = await stop();

  const kernelMs = times.reduce((sum, { ms }) => sum + ms, 0) / STEPS;
  print(
    bold(
      `${'kernel'.padEnd(34)}${'calls'.padStart(6)}${'ms'.padStart(9)}${'share'.padStart(8)}   GFLOP/s    GB/s`,
    ),
  );
  for (const time of times) print(formatTime(time, kernelMs));
  print(
    `${'all kernels'.padEnd(34)}${dispatches.toFixed(0).padStart(6)}${kernelMs.toFixed(2).padStart(9)}` +
      `${dim('  by timestamps, a pass for each dispatch')}`,
  );
  print(`${'a step as it runs'.padEnd(40)}${msPerStep.toFixed(2).padStart(9)}`);
  print(
    `${'host and waiting'.padEnd(40)}${Math.max(0, msPerStep - kernelMs)
      .toFixed(2)
      .padStart(9)}`,
  );
}

function formatTime({ name, calls, ms, flops, bytes }: KernelTime, kernelMs: number): string {
  const perStep = ms / STEPS;
  const rate = (amount: number) => (amount > 0 ? (amount / ms / 1e6).toFixed(1) : '–');
  return (
    `${name.padEnd(34)}${(calls / STEPS).toFixed(0).padStart(6)}${perStep.toFixed(2).padStart(9)}` +
    `${`${((100 * perStep) / kernelMs).toFixed(1)} %`.padStart(8)}${rate(flops).padStart(10)}${rate(bytes).padStart(8)}`
  );
}
