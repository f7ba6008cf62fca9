/** A process of its own for `bench train-step`: prints the seconds that the first training call takes. */
import { openDevice } from '@hrm-webgpu/core';
import { firstCallSeconds, SMALL_MODEL } from './hrm-cases.ts';

const device = await openDevice();
console.log(await firstCallSeconds(device, SMALL_MODEL, 16));
device.close();
