/**
 * A process of its own for `bench load`: loads the checkpoint named on the command line and prints, as JSON, how long that
 * took, how far the resident memory rose meanwhile, and the longest time that the event loop stood still.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openDevice } from '@hrm-webgpu/core';
import { HRM } from 'hrm-webgpu';
import type { Load } from './load.ts';

const device = await openDevice();
const before = process.memoryUsage.rss();
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();
const start = performance.now();
const model = await HRM.load(process.argv[2], { device });
await device.stream.finish();
const seconds = (performance.now() - start) / 1000;
delays.disable();
const load: Load = {
  seconds,
  risenBytes: 1024 * process.resourceUsage().maxRSS - before,
  longestBlockMs: delays.max / 1e6,
};
console.log(JSON.stringify(load));
model.dispose();
device.close();
