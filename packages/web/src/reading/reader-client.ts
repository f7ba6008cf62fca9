/** The page's side of the worker that reads files. */
import { proxy, type Remote } from 'comlink';
import { startWorker } from '../workers/start.ts';
import type { CheckpointShown, OnSums, SplitShown } from './api.ts';
import type { ExampleGroup } from './examples.ts';
import type { FoundCheckpoint, FoundSplit } from './found.ts';
import type { Reader } from './reader.ts';

export class ReaderClient {
  private remote: Remote<Reader> | undefined;

  async openCheckpoint({ id, file, config }: FoundCheckpoint): Promise<CheckpointShown> {
    const text = config && { text: await config.text(), name: config.name };
    return this.reader.openCheckpoint(file, id, text);
  }

  openSplit({ id, files }: FoundSplit): Promise<SplitShown> {
    return this.reader.openSplit(files, id);
  }

  sums(onSums: OnSums): Promise<void> {
    return this.reader.sums(proxy(onSums));
  }

  examples(set: string, first: number, count: number): Promise<ExampleGroup[]> {
    return this.reader.examples(set, first, count);
  }

  firstOfGroup(set: string, group: number): Promise<number> {
    return this.reader.firstOfGroup(set, group);
  }

  stop(): void {
    this.reader.stop();
  }

  /** Started when it is first needed. */
  private get reader(): Remote<Reader> {
    this.remote ??= startWorker<Reader>('read').remote;
    return this.remote;
  }
}
