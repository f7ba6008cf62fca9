/**
 * The process in which edited kernels run: one that never ends, or takes the device with it, is stopped with the process.
 * Started by workshop.node.ts, which it gets requests from, one after the other.
 */
import { type Device, openDevice } from '@hrm-webgpu/core';
import { checkOf, coveringCases, namedCases, nameOf, reasonToSkip, tryCases } from './trial.ts';

/** Try a kernel with another text until something is wrong. */
export interface TryRequest {
  id: number;
  kernel: string;
  text: string;
  /** Settings in covering pairs instead of those that the check names. */
  covering: boolean;
}

export interface TryReply {
  id: number;
  /** What is wrong and at which case; absent where all is right. */
  problem?: string;
  at?: string;
  /** The adapter cannot run it. */
  skipped?: string;
  cases: number;
  /** The largest error as a share of what is allowed. */
  margin: number;
}

async function answer(device: Device, { id, kernel, text, covering }: TryRequest): Promise<TryReply> {
  const check = checkOf(kernel, text);
  const skipped = reasonToSkip(check.kernel, device);
  if (skipped) return { id, skipped, cases: 0, margin: 0 };
  const cases = covering ? await coveringCases(check, device) : namedCases(check, device);
  let [count, margin] = [0, 0];
  const wrong = await tryCases(device, check, cases, (outcome) => {
    count += 1;
    margin = Math.max(margin, outcome.margin);
  });
  return { id, cases: count, margin, ...(wrong ? { problem: wrong.problem, at: nameOf(wrong) } : {}) };
}

async function serve(): Promise<void> {
  let device = await openDevice();
  let turn = Promise.resolve();
  process.on('disconnect', () => process.exit());
  process.on('message', (request: TryRequest) => {
    turn = turn.then(async () => {
      try {
        process.send?.(await answer(device, request));
      } catch (error) {
        // What is wrong with a kernel may have failed the device.
        const problem = error instanceof Error ? error.message : String(error);
        device.close();
        device = await openDevice();
        process.send?.({ id: request.id, problem, cases: 0, margin: 0 } satisfies TryReply);
      }
    });
  });
  process.send?.('ready');
}

await serve();
