/** The `lab` command: for who changes kernels. Node only. */
import { GpuError, UserError } from '@hrm-webgpu/core';
import { mutateCommand } from './mutate-command.ts';

/** A command of the lab. */
export interface LabCommand {
  summary: string;
  help: string;
  run(args: readonly string[]): Promise<number>;
}

const commands: Readonly<Record<string, LabCommand>> = { mutate: mutateCommand };

const OVERVIEW = `usage: npm run lab -- <command>

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

'lab <command> --help' says more.`;

/** Runs the command line `args`. Returns the exit code: 0, 1 where a kernel is wrong, 2 for a mistake in the command line. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (!command) {
      if (name !== undefined && name !== '--help')
        throw new UserError(`there is no command '${name}'\n\n${OVERVIEW}`);
      process.stdout.write(`${OVERVIEW}\n`);
      return name === undefined ? 2 : 0;
    }
    if (rest.includes('--help')) {
      process.stdout.write(`${command.help}\n`);
      return 0;
    }
    return await command.run(rest);
  } catch (error) {
    if (!(error instanceof UserError || error instanceof GpuError)) throw error;
    process.stderr.write(`lab: ${error.message}\n`);
    return 2;
  }
}
