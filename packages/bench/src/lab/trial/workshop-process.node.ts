/**
 * The process in which edited kernels run: one that never ends, or takes the device with it, is stopped with the process.
 * Started by workshop.node.ts, which it gets requests from, one after the other.
 */
import { type Device, UserError } from '@hrm-webgpu/core';
import { quickRoofline, type Roofline } from '../../timing/roofline.ts';
import { deviceStopwatch } from '../../timing/timing.ts';
import { type ColdReply, type ColdRequest, coldTime } from './cold.ts';
import { openLabDevice } from './device.node.ts';
import { type DuelReply, type DuelRequest, duel } from './duel.ts';
import { type GradientsReply, type GradientsRequest, gradientsOf } from './gradients.ts';
import { type TryReply, type TryRequest, tryKernel } from './trial.ts';

/** What the process is asked for, and what it answers. */
export interface Exchanges {
  try: { request: TryRequest; reply: TryReply };
  duel: { request: DuelRequest; reply: DuelReply };
  gradients: { request: GradientsRequest; reply: GradientsReply };
  cold: { request: ColdRequest; reply: ColdReply };
  roofline: { request: Record<string, never>; reply: Roofline };
  about: { request: Record<string, never>; reply: { adapter: string; lanes: number } };
}

/** A request by its kind; `cancel` stops the one under way. */
export type Message =
  | { [K in keyof Exchanges]: { kind: K; id: number; request: Exchanges[K]['request'] } }[keyof Exchanges]
  | { kind: 'cancel' };

/** An answer: a reply, or why there is none. */
export type Answer = { id: number } & ({ reply: unknown } | { failure: string } | { cancelled: true });

async function answer(device: Device, message: Message, signal: AbortSignal): Promise<unknown> {
  if (message.kind === 'try') return tryKernel(device, message.request, signal);
  if (message.kind === 'duel') return duel(device, message.request, signal);
  if (message.kind === 'gradients') return gradientsOf(device, message.request, signal);
  if (message.kind === 'cold') return coldTime(device, message.request, signal);
  if (message.kind === 'roofline') return quickRoofline(device, deviceStopwatch(device));
  if (message.kind === 'about') {
    const { description, subgroupMinSize } = device.adapter;
    return { adapter: description, lanes: subgroupMinSize };
  }
  throw new Error('nothing is asked for');
}

async function serve(): Promise<void> {
  let device = await openLabDevice();
  let turn = Promise.resolve();
  let stop = new AbortController();
  const send = (reply: Answer) => process.send?.(reply);
  process.on('disconnect', () => process.exit());
  process.on('SIGINT', () => {}); // Ctrl-C is for who started it, and ends it
  process.on('message', (message: Message) => {
    if (message.kind === 'cancel') {
      stop.abort();
      stop = new AbortController();
      return;
    }
    const { id } = message;
    const { signal } = stop;
    turn = turn.then(async () => {
      try {
        if (signal.aborted) send({ id, cancelled: true });
        else send({ id, reply: await answer(device, message, signal) });
      } catch (error) {
        if (signal.aborted) return void send({ id, cancelled: true });
        // What is wrong with a kernel may have failed the device.
        device.close();
        device = await openLabDevice();
        send({ id, failure: error instanceof Error ? error.message : String(error) });
      }
    });
  });
  process.send?.('ready');
}

serve().catch((error) => {
  process.stderr.write(`${error instanceof UserError ? error.message : (error.stack ?? error)}\n`, () =>
    process.exit(1),
  );
});
