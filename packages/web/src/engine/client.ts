/** The page's side of the worker that computes. */
import { proxy } from 'comlink';
import { startWorker } from '../workers/start.ts';
import type {
  Gpu,
  GuessOutcome,
  GuessRequest,
  GuessShown,
  ModelInfo,
  ModelSource,
  ThinkRequest,
  ToldSegment,
} from './api.ts';
import type { Engine } from './engine.ts';

/** A worker of its own for each who needs the GPU for long. */
export class EngineClient {
  private readonly remote;

  /** @param onLost told when the GPU was lost and is opened again */
  constructor(onLost: () => void) {
    const { worker, remote } = startWorker<Engine>('think');
    this.remote = remote;
    worker.addEventListener('message', ({ data }) => {
      if (data?.lost) onLost();
    });
  }

  gpu(): Promise<Gpu> {
    return this.remote.gpu();
  }

  load(source: ModelSource, onProgress: (bytes: number, total?: number) => void): Promise<ModelInfo> {
    return this.remote.load(source, proxy(onProgress));
  }

  think(request: ThinkRequest, onSegment: (segment: ToldSegment) => void): Promise<void> {
    return this.remote.think(request, proxy(onSegment));
  }

  guess(request: GuessRequest, onGuess: (guess: GuessShown) => void): Promise<GuessOutcome> {
    return this.remote.guess(request, proxy(onGuess));
  }

  stop(): Promise<void> {
    return this.remote.stop();
  }
}
