/** Reads checkpoints and datasets, in a worker. */
import { blobSource, openTensorFile, type Split, type TensorFile } from 'hrm-webgpu';
import { examine, ownContext, parseConfigFile, sumTensor } from 'hrm-webgpu/inside';
import type { CheckpointShown, OnSums, SplitShown } from './api.ts';
import { type ExampleGroup, firstOfGroup, groupsFrom, meaningOf, sizesOf } from './examples.ts';
import { readFolder } from './read-split.ts';

// Of the library's declarations for workers only this is needed, and they clash with those for pages.
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** How often it is asked whether to go on. */
const HEARING_MS = 100;

/** Holds one file or folder at a time. */
export class Reader {
  private checkpoint: TensorFile | undefined;
  private split: Split | undefined;
  private work = new AbortController();

  async openCheckpoint(
    file: Blob,
    name: string,
    config?: { text: string; name: string },
  ): Promise<CheckpointShown> {
    this.close();
    const { signal } = this.work;
    const opened = await openTensorFile(blobSource(file, name));
    const beside = config && (await parseConfigFile(config.text, config.name));
    const examined = examine(opened, { ...ownContext(opened), beside });
    signal.throwIfAborted();
    this.checkpoint = opened;
    return { ...examined, bytes: file.size, metadata: opened.metadata };
  }

  /** The sums of all tensors in their order; each is told when it is known. */
  async sums(onSums: OnSums): Promise<void> {
    const { checkpoint, work } = this;
    if (!checkpoint) throw new Error('no checkpoint is open');
    const { signal } = work;
    for (const [index, name] of checkpoint.names.entries()) {
      const pieces = async function* () {
        for await (const piece of checkpoint.pieces(name)) {
          signal.throwIfAborted();
          yield piece;
        }
      };
      onSums(index, await sumTensor(checkpoint.info(name).dtype, pieces()));
    }
  }

  async openSplit(files: ReadonlyMap<string, Blob>, folder: string): Promise<SplitShown> {
    this.close();
    const { signal } = this.work;
    const reader = new FileReaderSync();
    const readSync = (file: Blob, offset: number, length: number) =>
      new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, offset + length)));
    let heard = performance.now();
    const breathe = async () => {
      if (performance.now() - heard < HEARING_MS) return;
      await new Promise((resolve) => setTimeout(resolve)); // a wish to stop is a message
      heard = performance.now();
      signal.throwIfAborted();
    };
    const split = await readFolder(files, folder, readSync, breathe);
    this.split = split;
    return {
      bytes: [...files.values()].reduce((sum, { size }) => sum + size, 0),
      metadata: split.metadata,
      ...meaningOf(split.metadata),
      sets: [...split.sets].map(([name, set]) => sizesOf(name, set)),
    };
  }

  examples(set: string, first: number, count: number): ExampleGroup[] {
    return groupsFrom(this.setOf(set), (this.split as Split).metadata, first, count);
  }

  firstOfGroup(set: string, group: number): number {
    return firstOfGroup(this.setOf(set), group);
  }

  /** Ends what is under way; what is open stays so. */
  stop(): void {
    this.work.abort();
    this.work = new AbortController();
  }

  private close(): void {
    this.stop();
    this.checkpoint = undefined;
    this.split = undefined;
  }

  private setOf(name: string) {
    const set = this.split?.sets.get(name);
    if (!set) throw new Error(`no set ${name} is open`);
    return set;
  }
}
