/**
 * The process of one side of `lab diff`: makes a step, and stops after each output until it is told to go on. In a process of its own a
 * side may have another adapter, or be another build.
 */
import { createHash } from 'node:crypto';
import { adapterName } from '@hrm-webgpu/core';
import { readShaders } from 'hrm-webgpu/node';
import { openLabDevice } from '../../trial/device.node.ts';
import { makeModelStep } from '../step/model-step.ts';
import { eagerStep, recordStep, runUpTo } from '../step/walk.ts';
import { type FromSide, PROTOCOL, type SideRequest, type ToSide } from './protocol.ts';

const send = (message: FromSide) => void process.send?.(message);

/** What has been told and not been asked for yet. */
const told: ToSide[] = [];
let heard: (() => void) | undefined;
process.on('disconnect', () => process.exit());
process.on('message', (message: ToSide) => {
  told.push(message);
  heard?.();
});

async function next(): Promise<ToSide> {
  while (told.length === 0)
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
  return told.shift() as ToSide;
}

async function side({ choice, shaders, eager, step: number }: SideRequest): Promise<void> {
  const device = await openLabDevice();
  if (shaders !== undefined) device.shaders = await readShaders(shaders);
  const step = await makeModelStep(device, choice);
  const walkable = eager ? eagerStep(device, step) : recordStep(device, step);
  const outputs = walkable.outputs.map(({ name, launch, binding, shape, dtype }) => ({
    ...{ name, binding, shape, dtype },
    ...{ launch: launch.number, kernel: launch.kernel, params: launch.params },
  }));
  await runUpTo(device, walkable, number);
  send({ kind: 'ready', protocol: PROTOCOL, adapter: adapterName(device), title: step.title, outputs });
  const message = await next();
  const names = new Set(message.kind === 'walk' ? message.names : []);
  await walkable.walk({
    wants: ({ name }) => names.has(name),
    async visit({ name }, words) {
      send({ kind: 'output', name, digest: createHash('sha256').update(words).digest('hex') });
      for (let message = await next(); message.kind !== 'next'; message = await next())
        if (message.kind === 'contents') send({ kind: 'contents', words });
    },
  });
  send({ kind: 'end' });
}

try {
  const message = await next();
  if (message.kind === 'start') await side(message.request);
} catch (error) {
  send({ kind: 'failure', message: error instanceof Error ? error.message : String(error) });
}
