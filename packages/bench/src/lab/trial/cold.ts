/** How long a kernel takes when its arrays are in no cache. */
import { type Device, type ParamValues, Philox } from '@hrm-webgpu/core';
import { launch } from '@hrm-webgpu/kernels';
import { checks, contentsFor, tensorsOf } from '@hrm-webgpu/kernels/checks';
import { median } from '../../timing/statistics.ts';
import { deviceStopwatch } from '../../timing/timing.ts';
import { checkOf } from './trial.ts';

export interface ColdRequest {
  kernel: string;
  text: string;
  params: ParamValues;
}

export interface ColdReply {
  /** Milliseconds a run, median; absent where so small arrays would be needed in too many copies. */
  ms?: number;
}

/** Above the largest cache of most machines: copies of the arrays that take so much together push each other out. */
const BYTES = 2 ** 27;
const MOST_COPIES = 256;
const SAMPLES = 7;
/** About as long lasts a sample, so that it can be stopped soon. */
const SAMPLE_MS = 50;

/** Runs a kernel on one copy of its arrays after the other. */
export async function coldTime(
  device: Device,
  { kernel: name, text, params }: ColdRequest,
  signal: AbortSignal,
): Promise<ColdReply> {
  const contents = contentsFor(checks[name], params, new Philox(1));
  const bytes = Object.values(contents).reduce((sum, { byteLength }) => sum + byteLength, 0);
  const count = Math.ceil(BYTES / bytes) + 1;
  if (count > MOST_COPIES) return {};
  const copies = Array.from({ length: count }, () => tensorsOf(device, contents));
  const { kernel } = checkOf(name, text);
  let next = 0;
  const run = () => launch(device, kernel, copies[next++ % count], params);
  const stopwatch = deviceStopwatch(device);
  try {
    await stopwatch({ name, run }, 1); // compiles
    const once = await stopwatch({ name, run }, 1);
    const runs = Math.max(1, Math.min(count, Math.ceil(SAMPLE_MS / once)));
    const samples: number[] = [];
    while (samples.length < SAMPLES) {
      signal.throwIfAborted();
      samples.push((await stopwatch({ name, run }, runs)) / runs);
    }
    return { ms: median(samples) };
  } finally {
    for (const copy of copies) for (const tensor of Object.values(copy)) tensor.dispose();
  }
}
