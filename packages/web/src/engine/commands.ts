/** The worker that computes for Solve: the page stays responsive whatever the GPU and the compiler do. */
import { transfer } from 'comlink';
import type { ThinkRequest, ToldSegment } from './api.ts';
import { Engine } from './engine.ts';

/** States of megabytes are handed over, not copied. */
class TransferringEngine extends Engine {
  override think(request: ThinkRequest, onSegment: (segment: ToldSegment) => void): Promise<void> {
    const buffers = ({ states }: ToldSegment) => states.map(({ buffer }) => buffer as ArrayBuffer);
    return super.think(request, (segment) => onSegment(transfer(segment, buffers(segment))));
  }
}

export const commands = new TransferringEngine(() => self.postMessage({ lost: true }));
