import { GpuError, UserError } from '@hrm-webgpu/core';
import { didYouMean } from '../formats/closest.ts';
import { expectUtf8 } from './arguments.ts';
import type { Command } from './command.ts';
import { data } from './data/data.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { evaluateCommand } from './eval/eval.ts';
import { exportCommand } from './export.ts';
import { figures } from './figures/figures.ts';
import { inspect } from './inspect.ts';
import { parity } from './parity.ts';
import { report } from './report/report.ts';
import { runs } from './runs/runs.ts';
import { solve } from './solve/solve.ts';
import { bold, print, say } from './terminal.ts';
import { train } from './train/train.ts';
import { tune } from './tune/tune.ts';

const commands: Record<string, Command> = {
  train,
  tune,
  eval: evaluateCommand,
  solve,
  figures,
  runs,
  report,
  inspect,
  export: exportCommand,
  data,
  parity,
  doctor,
  demo,
};

function help(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);
  return `${bold('hrm')} — the Hierarchical Reasoning Model on WebGPU

usage: hrm <command> [options]

${lines.join('\n')}

'hrm <command> --help' explains a command.`;
}

/** Runs `hrm` with the given arguments; resolves to the exit code. Mistakes of the user print one message. */
export async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(help());
    return 0;
  }
  try {
    expectUtf8(args);
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command)
      throw new UserError(
        `unknown command '${name}'.${didYouMean(name, Object.keys(commands))} Commands: ${Object.keys(commands).join(', ')}`,
      );
    if (rest.includes('--help') || rest.includes('-h')) {
      const { subcommands = {} } = command;
      print((Object.hasOwn(subcommands, rest[0]) ? subcommands[rest[0]] : command).help);
      return 0;
    }
    return await command.run(rest);
  } catch (error) {
    if (error instanceof UserError) {
      say(`error: ${error.message}`);
      return 1;
    }
    if (error instanceof GpuError) {
      say(`error: ${error.message}`);
      return 1;
    }
    say('This is a defect in hrm-webgpu. Please report it with the lines below.');
    say((error as Error).stack ?? String(error));
    return 70; // EX_SOFTWARE
  }
}
