/**
 * Writing datasets that do not fit into memory: rows go to disk as they are made.
 *
 *     await writeDataset(dir, async (dataset) => {
 *       const train = await dataset.split('train', { seq_len: 81, vocab_size: 11, pad_id: 0, ignore_label_id: 0 });
 *       for (const group of groups) {
 *         for (const puzzle of group) {
 *           for (const { input, label } of puzzle) await train.addExample(input, label);
 *           await train.endPuzzle(0);
 *         }
 *         await train.endGroup();
 *       }
 *     });
 */

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { writeFileAtomic } from '../../formats/files/atomic-write.node.ts';
import { fileError } from '../../formats/files/file-error.node.ts';
import { Lock } from '../../formats/files/lock.node.ts';
import { makeFolder, removeFolders } from '../../formats/files/make-folder.node.ts';
import { BLANK, type DatasetMetadata, type DatasetSet, SET_FILES } from './dataset.ts';
import { NpyFile, RowFile } from './row-file.node.ts';

/** What the tokens of a split mean; keys as in `dataset.json`. */
export type TokenFormat = Pick<
  DatasetMetadata,
  'seq_len' | 'vocab_size' | 'pad_id' | 'ignore_label_id' | 'task' | 'symmetries'
>;

/** The one set of every split. */
const SET = 'all';

/**
 * Builds the dataset folder `dir`, whole or not at all: `build` fills a folder beside it, which is flushed
 * to the device and renamed when `build` is through, and removed when anything fails.
 *
 * @param signal once it is aborted (`cli/interrupt.ts` does it on Ctrl-C and SIGTERM) the next write throws its reason
 * @throws UserError if `dir` exists or cannot be written; what `build` throws, unchanged
 */
export async function writeDataset(
  dir: string,
  build: (dataset: DatasetWriter) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const target = resolve(dir); // drops a slash at the end, which would put the folder beside it inside it
  if (existsSync(target)) throw new UserError(`${dir}: exists already. Remove it or choose another folder.`);
  const made = makeFolder(dirname(target));
  await sweep(target);
  const unfinished = `${target}${UNFINISHED}${randomUUID().slice(0, 8)}`;
  const dataset = new DatasetWriter(unfinished, signal);
  try {
    await mkdir(unfinished);
    const lock = Lock.take(join(unfinished, LOCK), unfinished);
    await dataset.start();
    await build(dataset);
    await dataset.finish();
    signal?.throwIfAborted();
    lock.release();
    await rename(unfinished, target);
  } catch (cause) {
    // A failed clean-up must not hide why the build failed.
    await dataset.close().catch(() => {});
    await rm(unfinished, { recursive: true, force: true }).catch(() => {});
    removeFolders(made);
    throw fileError('cannot write', dir, cause);
  }
}

/** Between a folder's name and what tells unfinished ones apart. */
const UNFINISHED = '.unfinished-';
/** Held by the process that writes an unfinished folder. */
const LOCK = '.lock';

/** Removes what processes left beside `target` that were killed while they built it; what others build there stays. */
async function sweep(target: string): Promise<void> {
  const beginning = `${basename(target)}${UNFINISHED}`;
  // Where the folder cannot be listed, nothing can be swept.
  for (const name of await readdir(dirname(target)).catch(() => [])) {
    const path = join(dirname(target), name);
    if (name.startsWith(beginning) && Lock.isStale(join(path, LOCK))) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** A dataset being written by {@link writeDataset}. */
export class DatasetWriter {
  private readonly splits: SplitWriter[] = [];
  private names!: RowFile;
  private identifiers = 0;

  constructor(
    private readonly folder: string,
    private readonly signal?: AbortSignal,
  ) {}

  async start(): Promise<void> {
    this.names = await RowFile.open(join(this.folder, 'identifiers.json'), 0, this.signal);
    await this.addIdentifier(BLANK.name);
  }

  /** Names the next puzzle identifier and returns it. 0 is `<blank>` and there from the start. */
  async addIdentifier(name: string): Promise<number> {
    const before = this.identifiers === BLANK.identifier ? '[' : ',';
    await this.names.append(new TextEncoder().encode(`${before}\n  ${JSON.stringify(name)}`));
    return this.identifiers++;
  }

  /** Begins the split `name`. Splits may be written side by side. */
  async split(name: string, format: TokenFormat): Promise<SplitWriter> {
    const folder = join(this.folder, name);
    await mkdir(folder);
    const split = new SplitWriter(folder, format);
    this.splits.push(split);
    await split.start(this.signal);
    return split;
  }

  /** Completes and closes all files. */
  async finish(): Promise<void> {
    await this.names.append(new TextEncoder().encode('\n]\n'));
    await this.names.finish();
    for (const split of this.splits) await split.finish(this.identifiers);
  }

  /** Closes all files as they are. */
  async close(): Promise<void> {
    await this.names?.close();
    for (const split of this.splits) await split.close();
  }
}

/** One split being written: examples, then the end of their puzzle; puzzles, then the end of their group. */
export class SplitWriter {
  private readonly arrays = new Map<keyof DatasetSet, NpyFile>();
  private examples = 0;
  private puzzles = 0;
  private groups = 0;
  /** Puzzles there were when the latest group ended. */
  private grouped = 0;

  constructor(
    private readonly folder: string,
    private readonly format: TokenFormat,
  ) {}

  async start(signal?: AbortSignal): Promise<void> {
    for (const [array, file] of Object.entries(SET_FILES) as [keyof DatasetSet, string][]) {
      const descr = array === 'inputs' || array === 'labels' ? '|u1' : '<i4';
      this.arrays.set(array, await NpyFile.open(join(this.folder, `${SET}__${file}`), descr, signal));
    }
    await this.append('puzzleIndices', 0);
    await this.append('groupIndices', 0);
  }

  /**
   * Adds an example to the current puzzle. Both arrays are copied.
   *
   * @param inputs [seq_len]
   * @param labels [seq_len], `ignore_label_id` where a label does not count
   */
  async addExample(inputs: Uint8Array, labels: Uint8Array): Promise<void> {
    const { seq_len } = this.format;
    if (inputs.length !== seq_len || labels.length !== seq_len) {
      throw new RangeError(
        `dataset: an example of ${inputs.length} and ${labels.length} tokens, not ${seq_len}`,
      );
    }
    await this.arrays.get('inputs')!.append(inputs);
    await this.arrays.get('labels')!.append(labels);
    this.examples++;
  }

  /** Ends the puzzle of the examples added since the puzzle before. */
  async endPuzzle(identifier: number): Promise<void> {
    await this.append('puzzleIdentifiers', identifier);
    await this.append('puzzleIndices', this.examples);
    this.puzzles++;
  }

  /** Ends the group of the puzzles ended since the group before. */
  async endGroup(): Promise<void> {
    // Training draws a puzzle of every group.
    if (this.puzzles === this.grouped) throw new RangeError('dataset: a group without puzzles');
    this.grouped = this.puzzles;
    await this.append('groupIndices', this.puzzles);
    this.groups++;
  }

  /** @param identifiers puzzle identifiers of the whole dataset, the blank one included */
  async finish(identifiers: number): Promise<void> {
    const { pad_id, ignore_label_id, vocab_size, seq_len, task, symmetries } = this.format;
    const shapes: Record<keyof DatasetSet, number[]> = {
      inputs: [this.examples, seq_len],
      labels: [this.examples, seq_len],
      puzzleIdentifiers: [this.puzzles],
      puzzleIndices: [this.puzzles + 1],
      groupIndices: [this.groups + 1],
    };
    for (const [array, file] of this.arrays) await file.finish(shapes[array]);
    const metadata: DatasetMetadata = {
      pad_id,
      ignore_label_id,
      blank_identifier_id: BLANK.identifier,
      vocab_size,
      seq_len,
      num_puzzle_identifiers: identifiers,
      total_groups: this.groups,
      mean_puzzle_examples: this.puzzles === 0 ? 0 : this.examples / this.puzzles,
      sets: [SET],
      task,
      symmetries,
    };
    const json = `${JSON.stringify(metadata, null, 2)}\n`;
    await writeFileAtomic(join(this.folder, 'dataset.json'), [new TextEncoder().encode(json)]);
  }

  async close(): Promise<void> {
    for (const file of this.arrays.values()) await file.close();
  }

  private append(array: keyof DatasetSet, value: number): Promise<void> {
    return this.arrays.get(array)!.append(Int32Array.of(value));
  }
}
