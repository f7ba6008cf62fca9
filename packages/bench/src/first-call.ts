/** A process of its own for `bench train-step`: prints the seconds that the first training call takes. */
import { openDevice } from '@hrm-webgpu/core';
import { SMALL_MODEL, trainingCallOf } from './hrm-cases.ts';

const device = await openDevice();
const call = await trainingCallOf(device, SMALL_MODEL, 16);
await device.stream.finish(); // weights, and their transposed copies
const start = performance.now();
call.run();
await device.stream.finish();
console.log((performance.now() - start) / 1000);
device.close();
