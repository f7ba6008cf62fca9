import { UserError } from '@hrm-webgpu/core';
import { checkCanvas, readJsonl, writeJsonl } from '../../data/input/jsonl-files.node.ts';
import { type Command, onePositional, parse, wholeNumber } from '../command.ts';
import { untilInterrupted } from '../interrupt.ts';
import { print } from '../terminal.ts';
import { Build, outFolder } from './build.ts';

export const dataJsonl: Command = {
  summary: 'grids of your own, one example a line of JSON',
  help: `usage: hrm data jsonl FILE --out DIR [--size N] [--skip-bad]

Builds a dataset from lines like
  {"input": [[0, 1], [2, 0]], "output": [[1, 1], [2, 2]], "task": "fill", "split": "train"}
Values are integers from 0 to 254; the token of a value is one more, and 0 is padding. "task" is optional: examples of one
task share a puzzle identifier. "split" is "train" (the default) or "test".

  --size N     pad to N×N; default the most rows and the most columns that a grid has
  --skip-bad   leave out bad lines instead of stopping`,

  async run(args) {
    const { values, positionals } = parse(args, {
      out: { type: 'string' },
      size: { type: 'string' },
      'skip-bad': { type: 'boolean', default: false },
    });
    const file = onePositional(positionals, 'one JSON Lines file');
    const out = outFolder(values.out);
    const size = wholeNumber('size', values.size);
    const canvas = size === undefined ? undefined : { rows: size, columns: size };
    if (canvas) checkCanvas(canvas, `--size ${size}`);
    return untilInterrupted(async (signal) => {
      const build = new Build(signal, values['skip-bad']);
      const examples = await readJsonl(file, canvas, build.reading(file));
      if (examples.length === 0) throw new UserError(`${file}: holds no examples. Nothing was written.`);
      const made = await writeJsonl(out, examples, canvas, signal);
      build.reportBad();
      for (const [name, count] of Object.entries(made.examples)) print(`${name}: ${count} examples`);
      const { rows, columns } = made.canvas;
      print(`${made.tasks} tasks`);
      print(
        `wrote ${out} (${rows}×${columns} cells: seq_len ${rows * columns}, vocab_size ${made.vocabSize})`,
      );
      return 0;
    });
  },
};
