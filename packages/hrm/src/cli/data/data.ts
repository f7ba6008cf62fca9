import { UserError } from '@hrm-webgpu/core';
import { didYouMean } from '../../formats/closest.ts';
import type { Command } from '../command.ts';
import { print } from '../terminal.ts';
import { dataArc } from './arc.ts';
import { dataJsonl } from './jsonl.ts';
import { dataMaze } from './maze.ts';
import { dataShow } from './show.ts';
import { dataSudoku } from './sudoku.ts';

const subcommands: Record<string, Command> = {
  sudoku: dataSudoku,
  maze: dataMaze,
  arc: dataArc,
  jsonl: dataJsonl,
  show: dataShow,
};

const list = Object.entries(subcommands).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);

export const data: Command = {
  summary: 'build datasets in the published format, and look at them',
  help: `usage: hrm data <kind> [options]

${list.join('\n')}

'hrm data <kind> --help' explains one.`,
  subcommands,

  async run([name, ...args]) {
    if (name === undefined) {
      print(data.help);
      return 0;
    }
    if (Object.hasOwn(subcommands, name)) return subcommands[name].run(args);
    throw new UserError(
      `unknown kind of data '${name}'.${didYouMean(name, Object.keys(subcommands))} Kinds: ${Object.keys(subcommands).join(', ')}`,
    );
  },
};
