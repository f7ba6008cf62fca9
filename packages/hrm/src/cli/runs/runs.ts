import { UserError } from '@hrm-webgpu/core';
import { readRunFolder, runsIn } from '../../runs/run-folder.node.ts';
import { type Command, onePositional, parse } from '../command.ts';
import { print, printJson } from '../terminal.ts';
import { cleanRuns } from './clean.ts';
import { compareRuns } from './compare.ts';
import { listed, listedAsJson } from './list.ts';

const subcommands: Record<string, Command> = { compare: compareRuns, clean: cleanRuns };

export const runs: Command = {
  summary: 'list, compare and clean the folders of runs',
  help: `usage: hrm runs [DIR] [--json]
       hrm runs compare RUN RUN… [--json]
       hrm runs clean DIR… [--yes]

Lists the runs in a folder (default: runs) and in the folders in it: how far each is, its best and its last evaluation, what it takes
on the disk and when it was last written to. No GPU is needed.

  compare   what sets runs apart: settings that differ, and how well they did
  clean     shows what could go: checkpoints but the newest, snapshots, what killed processes left; --yes removes it
  --json    one JSON document`,
  subcommands,

  async run(args) {
    const [name, ...rest] = args;
    if (name !== undefined && Object.hasOwn(subcommands, name)) return subcommands[name].run(rest);
    const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
    const folder = positionals.length === 0 ? 'runs' : onePositional(positionals, 'one folder');
    const paths = runsIn(folder);
    if (paths.length === 0) throw new UserError(`${folder}: holds no run`);
    const found = [];
    for (const path of paths) found.push(await readRunFolder(path));
    if (values.json) printJson(found.map(listedAsJson));
    else for (const line of listed(found)) print(line);
    return 0;
  },
};
