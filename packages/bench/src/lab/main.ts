/** The `lab` command: for who changes kernels. Node only. */
import { GpuError, UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import type { LabCommand } from './command.ts';
import { kernelCommand } from './kernel/kernel-command.ts';
import { mutateCommand } from './mutate/mutate-command.ts';
import { newCommand } from './new/command.ts';
import { tuneCommand } from './new/tune-command.ts';
import { compareCommand } from './seeing/compare-command.ts';
import { diffCommand } from './seeing/diff/diff-command.ts';
import { dumpCommand } from './seeing/dump-command.ts';
import { showCommand } from './seeing/show-command.ts';
import { traceCommand } from './seeing/trace/trace-command.ts';
import { selftestCommand } from './selftest/selftest-command.ts';

const commands: Readonly<Record<string, LabCommand>> = {
  show: showCommand,
  trace: traceCommand,
  dump: dumpCommand,
  diff: diffCommand,
  compare: compareCommand,
  mutate: mutateCommand,
  new: newCommand(() => Object.keys(commands)),
  selftest: selftestCommand,
  tune: tuneCommand,
};

const OVERVIEW = `usage: npm run lab -- <kernel> | <command>

  ${'<kernel>'.padEnd(10)}${kernelCommand.summary}
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

'lab <command> --help' says more; kernels are ${Object.keys(checks).length} files in shaders/.`;

/** Runs the command line `args`. Returns the exit code: 0, 1 where a kernel is wrong, 2 for a mistake in the command line. */
export async function main(args: readonly string[]): Promise<number> {
  const [name] = args;
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (name === undefined || name === '--help') {
      process.stdout.write(`${OVERVIEW}\n`);
      return name === undefined ? 2 : 0;
    }
    if (args.includes('--help')) {
      process.stdout.write(`${(command ?? kernelCommand).help}\n`);
      return 0;
    }
    return await (command ? command.run(args.slice(1)) : kernelCommand.run(args));
  } catch (error) {
    const usage = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    if (!(error instanceof UserError || error instanceof GpuError || usage)) throw error;
    process.stderr.write(`lab: ${(error as Error).message}\n`);
    return 2;
  }
}
