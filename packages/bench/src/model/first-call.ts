/**
 * A process of its own for `bench train-step`: prints the seconds that the first training call takes. Stdin has the shaders in the
 * place of the engine's own, as JSON.
 */
import { readFileSync } from 'node:fs';
import { openDevice } from '@hrm-webgpu/core';
import { firstCallSeconds, SMALL_MODEL } from './hrm-cases.ts';

const shaders = new Map<string, string>(JSON.parse(readFileSync(0, 'utf8')));
const device = await openDevice({ shaders });
console.log(await firstCallSeconds(device, SMALL_MODEL, 16));
device.close();
