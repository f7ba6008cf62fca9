import { GpuError, UserError } from '@hrm-webgpu/core';
import { version } from '../environment/environment.node.ts';
import { didYouMean } from '../formats/closest.ts';
import { expectUtf8 } from './arguments.ts';
import type { Command } from './command.ts';
import { bold, print, say } from './terminal.ts';

/** A command's modules are loaded when it is named: none waits for those of all others. */
const commands: Record<string, () => Promise<Command>> = {
  train: async () => (await import('./train/train.ts')).train,
  tune: async () => (await import('./tune/tune.ts')).tune,
  eval: async () => (await import('./eval/eval.ts')).evaluateCommand,
  solve: async () => (await import('./solve/solve.ts')).solve,
  figures: async () => (await import('./figures/figures.ts')).figures,
  runs: async () => (await import('./runs/runs.ts')).runs,
  report: async () => (await import('./report/report.ts')).report,
  inspect: async () => (await import('./inspect.ts')).inspect,
  export: async () => (await import('./export.ts')).exportCommand,
  data: async () => (await import('./data/data.ts')).data,
  parity: async () => (await import('./parity.ts')).parity,
  doctor: async () => (await import('./doctor.ts')).doctor,
  demo: async () => (await import('./demo.ts')).demo,
};

async function help(): Promise<string> {
  const lines: string[] = [];
  for (const [name, load] of Object.entries(commands)) {
    const { summary } = await load();
    lines.push(`  ${name.padEnd(8)}${summary}`);
  }
  return `${bold('hrm')} — the Hierarchical Reasoning Model on WebGPU

usage: hrm <command> [options]

${lines.join('\n')}

'hrm <command> --help' explains a command; 'hrm --version' tells the version.`;
}

/** Runs `hrm` with the given arguments; resolves to the exit code. Mistakes of the user print one message. */
export async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(await help());
    return 0;
  }
  if (name === '--version') {
    print(version());
    return 0;
  }
  try {
    expectUtf8(args);
    if (!Object.hasOwn(commands, name))
      throw new UserError(
        `unknown command '${name}'.${didYouMean(name, Object.keys(commands))} Commands: ${Object.keys(commands).join(', ')}`,
      );
    const command = await commands[name]();
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
