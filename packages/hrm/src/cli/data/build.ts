/** What the builders of `hrm data` share. */

import { existsSync } from 'node:fs';
import { Philox, UserError } from '@hrm-webgpu/core';
import { BadRows } from '../../data/dataset/bad-rows.ts';
import type { TokenFormat } from '../../data/dataset/dataset-writer.node.ts';
import type { PuzzleExample } from '../../data/input/puzzle-example.ts';
import { type PuzzleSplit, type ReadOptions, writePuzzles } from '../../data/input/puzzle-files.node.ts';
import { Reservoir } from '../../data/reservoir.ts';
import { duration, ProgressBar, print, say } from '../terminal.ts';

/**
 * The folder to build.
 *
 * @throws UserError if it was not given or is there already, before any work is done
 */
export function outFolder(out: string | undefined): string {
  if (!out) throw new UserError('give the folder to make with --out DIR');
  if (existsSync(out)) throw new UserError(`${out}: exists already. Remove it or choose another folder.`);
  return out;
}

/** How long it took since `started`, and how fast that was. */
export function speed(examples: number, started: number): string {
  const seconds = (performance.now() - started) / 1000;
  return `${duration(seconds)}, ${Math.round(examples / seconds)} examples/s`;
}

/** One build: what goes wrong in the files it reads, and its progress, which people see on one line. */
export class Build {
  private readonly files: [file: string, bad: BadRows][] = [];
  private readonly bar = new ProgressBar('data');
  private lines = 0;
  private permille = 0;
  private examples = 0;

  constructor(
    readonly signal: AbortSignal,
    private readonly skipBad: boolean,
  ) {}

  /** How to read one file. */
  reading(file: string): ReadOptions {
    const bad = new BadRows(file, this.skipBad);
    this.files.push([file, bad]);
    const onProgress = (lines: number, share: number) => {
      this.lines = lines;
      this.permille = Math.floor(1000 * share);
      this.show();
    };
    return { bad, signal: this.signal, onProgress };
  }

  /** Writes a dataset of puzzles and prints what it holds. */
  async write(out: string, format: TokenFormat, splits: Record<string, PuzzleSplit>): Promise<void> {
    const started = performance.now();
    const onProgress = (examples: number) => {
      this.examples = examples;
      this.show();
    };
    try {
      const written = await writePuzzles(out, format, splits, { signal: this.signal, onProgress });
      this.bar.clear();
      const total = Object.values(written).reduce((sum, { examples }) => sum + examples, 0);
      for (const [name, { groups, examples }] of Object.entries(written)) {
        print(
          `${name}: ${groups} puzzles${examples > groups ? `, ${examples} examples with their copies` : ''}`,
        );
      }
      this.reportBad();
      print(`wrote ${out} in ${speed(total, started)}`);
      print(`vocab_size ${format.vocab_size}, seq_len ${format.seq_len}`);
    } finally {
      this.bar.clear();
    }
  }

  /** Tells which rows were left out. */
  reportBad(): void {
    for (const [file, bad] of this.files) if (bad.count > 0) say(`${file}: left out ${bad.describe()}`);
  }

  private show(): void {
    const examples = this.examples > 0 ? `, ${this.examples} examples written` : '';
    // Short of the end: the bar prints its end each time where there is no terminal.
    this.bar.update(Math.min(this.permille, 999), 1000, `${this.lines} lines read${examples}`);
  }
}

/** A Philox stream; any number will do that no builder takes. */
const SAMPLE_STREAM = 0x73616d70;

/** A random sample of examples; drawn when it is asked for. */
export async function* sampled(
  examples: PuzzleSplit['examples'],
  count: number,
  seed: number,
): AsyncGenerator<PuzzleExample> {
  const reservoir = new Reservoir<PuzzleExample>(count, new Philox(seed, SAMPLE_STREAM));
  for await (const example of examples) reservoir.offer(example);
  yield* reservoir.items;
}
