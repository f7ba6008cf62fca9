import { openDevice, UserError } from '@hrm-webgpu/core';
import { readSplit } from '../data/dataset.node.ts';
import { loadModelFile } from '../model-file.node.ts';
import { type Command, onePositional, parse, wholeNumber } from './command.ts';
import { evaluateWithBar } from './run.ts';
import { percent, print } from './terminal.ts';

export const evaluateCommand: Command = {
  summary: 'evaluate a checkpoint on a dataset',
  help: `usage: hrm eval <checkpoint or run folder> --data DIR [--split NAME] [--batch N] [--json]

Runs every example of a split for halt_max_steps segments and prints the published metrics of the last one.

  --data DIR     a dataset in the published format
  --split NAME   the split; default 'test'
  --batch N      examples at a time; default 128
  --json         one JSON document on stdout`,

  async run(args) {
    const { values, positionals } = parse(args, {
      data: { type: 'string' },
      split: { type: 'string', default: 'test' },
      batch: { type: 'string' },
      json: { type: 'boolean' },
    });
    const path = onePositional(positionals, 'one checkpoint or run folder');
    if (!values.data) throw new UserError('give the dataset with --data DIR');
    const split = await readSplit(values.data, values.split);
    const device = await openDevice();
    try {
      const model = await loadModelFile(device, path, split.metadata.seq_len);
      const { vocab_size, seq_len, num_puzzle_identifiers } = split.metadata;
      if (num_puzzle_identifiers > model.config.num_puzzle_identifiers && model.config.puzzle_emb_ndim > 0) {
        throw new UserError(
          `${values.data} has ${num_puzzle_identifiers} puzzle identifiers, but the model of ${path} knows ` +
            `${model.config.num_puzzle_identifiers}`,
        );
      }
      if (vocab_size !== model.config.vocab_size || seq_len !== model.config.seq_len) {
        throw new UserError(
          `${values.data} has vocab_size ${vocab_size} and seq_len ${seq_len}, but the model of ${path} was made for ` +
            `${model.config.vocab_size} and ${model.config.seq_len}`,
        );
      }
      const result = await evaluateWithBar(model, split, 'evaluate', {
        batchSize: wholeNumber('batch', values.batch),
      });
      if (values.json) print(JSON.stringify(result, null, 2));
      else {
        const { exact, count, accuracy, q_halt_accuracy, steps, lm_loss, q_halt_loss } = result;
        print(`exact accuracy   ${percent(exact / Math.max(1, count))} (${exact}/${count})`);
        print(`cell accuracy    ${percent(accuracy)}`);
        print(`q_halt accuracy  ${percent(q_halt_accuracy)}`);
        print(`segments         ${steps.toFixed(2)}`);
        print(`lm_loss ${lm_loss.toFixed(4)}, q_halt_loss ${q_halt_loss.toFixed(4)}`);
      }
      return 0;
    } finally {
      device.close();
    }
  },
};
