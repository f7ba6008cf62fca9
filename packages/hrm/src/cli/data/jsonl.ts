import { UserError } from '@hrm-webgpu/core';
import { parseSymmetries } from '../../data/dataset/declared-symmetries.ts';
import { RULED_TASKS } from '../../data/input/jsonl.ts';
import { checkCanvas, readJsonl, writeJsonl } from '../../data/input/jsonl-files.node.ts';
import { checkTask, type Task, type TokenSizes } from '../../tasks/tasks.ts';
import { type Command, onePositional, parse, wholeNumber } from '../command.ts';
import { untilInterrupted } from '../interrupt.ts';
import { taskNamed } from '../task-option.ts';
import { print } from '../terminal.ts';
import { Build, outFolder } from './build.ts';

export const dataJsonl: Command = {
  summary: 'grids of your own, one example a line of JSON',
  help: `usage: hrm data jsonl FILE --out DIR [--size N] [--task NAME] [--skip-bad]

Builds a dataset from lines like
  {"input": [[0, 1], [2, 0]], "output": [[1, 1], [2, 2]], "task": "fill", "split": "train"}
Values are integers from 0 to 254; the token of a value is one more, and 0 is padding. "task" is optional: examples of one
task share a puzzle identifier. "split" is "train" (the default) or "test". A first line may say more of all of them:
  {"rule": "latin", "symmetries": [{"name": "mirrored", "cells": [1, 0, 3, 2]}, {"values": [0, 2, 1]}]}
Symmetries are permutations: of the canvas's cells (the new cell i is the old cell cells[i]), of the values, or both.

  --size N     pad to N×N; default the most rows and the most columns that a grid has
  --task NAME  what the grids are, and are judged by: none (the default), latin, sudoku, maze; instead of the file's rule
  --skip-bad   leave out bad lines instead of stopping`,

  async run(args) {
    const { values, positionals } = parse(args, {
      out: { type: 'string' },
      size: { type: 'string' },
      task: { type: 'string' },
      'skip-bad': { type: 'boolean', default: false },
    });
    const file = onePositional(positionals, 'one JSON Lines file');
    const out = outFolder(values.out);
    const size = wholeNumber('size', values.size);
    const canvas = size === undefined ? undefined : { rows: size, columns: size };
    if (canvas) checkCanvas(canvas, `--size ${size}`);
    return untilInterrupted(async (signal) => {
      const build = new Build(signal, values['skip-bad']);
      const { header, examples } = await readJsonl(file, canvas, build.reading(file));
      if (examples.length === 0) throw new UserError(`${file}: holds no examples. Nothing was written.`);
      const task = values.task === undefined ? (header.rule ?? 'none') : taskNamed(values.task);
      const meaning = (sizes: TokenSizes) => meaningOf(file, task, header.symmetries, sizes);
      const made = await writeJsonl(out, examples, { canvas, meaning, signal });
      build.reportBad();
      for (const [name, count] of Object.entries(made.examples)) print(`${name}: ${count} examples`);
      const { rows, columns } = made.canvas;
      print(`${made.tasks} tasks`);
      print(
        `wrote ${out} (${rows}×${columns} cells: seq_len ${rows * columns}, vocab_size ${made.vocabSize}; task ${task})`,
      );
      return 0;
    });
  },
};

/**
 * What the dataset says of its grids.
 *
 * @throws UserError for a task that the grids cannot be of, and for symmetries that are none
 */
function meaningOf(file: string, task: Task, symmetries: unknown, sizes: TokenSizes) {
  if (!RULED_TASKS.includes(task)) throw new UserError(`--task ${task}: expected ${RULED_TASKS.join(', ')}`);
  if (task !== 'none') {
    try {
      checkTask(task, sizes);
    } catch (cause) {
      throw new UserError(
        `${file}: its grids are no ${task}: ${(cause as Error).message}. Nothing was written.`,
        { cause },
      );
    }
  }
  if (symmetries === undefined) return { task };
  const values = sizes.vocab_size - 1;
  const parsed = parseSymmetries(symmetries, {
    cells: sizes.seq_len,
    renamed: { key: 'values', count: values },
  });
  if (typeof parsed === 'string') throw new UserError(`${file}: ${parsed}. Nothing was written.`);
  // A value's token is one more, and 0 is padding.
  const declared = parsed.map(({ name, cells, values: renamed }) => ({
    name,
    ...(cells && { cells }),
    ...(renamed && { tokens: [0, ...renamed.map((value) => value + 1)] }),
  }));
  return { task, symmetries: declared };
}
