/**
 * A process of its own for `bench train-step`: prints the seconds that the first training call takes. Stdin has the shaders in the
 * place of the engine's own, as JSON.
 */
import { readFileSync } from 'node:fs';
import { GpuError, openDevice, UserError } from '@hrm-webgpu/core';
import { firstCallSeconds, SMALL_MODEL } from './hrm-cases.ts';

const shaders = new Map<string, string>(JSON.parse(readFileSync(0, 'utf8')));
const device = await openDevice({ shaders });
try {
  console.log(await firstCallSeconds(device, SMALL_MODEL, 16));
} catch (error) {
  // What is wrong with a shader names its place; a stack would only hide it.
  if (!(error instanceof GpuError || error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
device.close();
