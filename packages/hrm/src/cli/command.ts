import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UserError } from '@hrm-webgpu/core';
import { didYouMean } from '../formats/closest.ts';

/** One subcommand of `hrm`. */
export interface Command {
  summary: string;
  /** What `--help` prints. */
  help: string;
  /** By their names, which come right after the command's. */
  subcommands?: Record<string, Command>;
  /** Exit code. */
  run(args: string[]): Promise<number>;
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true }>
>;

/**
 * Parses the arguments of a command.
 *
 * @throws UserError for an unknown option or a missing value
 */
export function parse<O extends Options>(args: string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const { message } = error as Error;
    const [, option] = message.match(/^Option '(?:-\w, )?(--[\w-]+).*' argument is ambiguous/) ?? [];
    if (option) {
      const value = args[args.indexOf(option) + 1];
      throw new UserError(
        `${option} needs a value, and '${value}' looks like an option: write ${option}=${value}`,
      );
    }
    const [first] = message.split(/\n|\. To specify/);
    const [, unknown] = message.match(/^Unknown option '(?:-\w, )?--([^']*)'/) ?? [];
    const meant = unknown === undefined ? '' : didYouMean(`--${unknown}`, names(options));
    throw new UserError(`${first.replace(/\.$/, '')}.${meant} See --help for the options.`);
  }
}

const names = (options: Options) => Object.keys(options).map((name) => `--${name}`);

/** The value of a numeric option; undefined when it was not given. */
export function wholeNumber(name: string, text: string | undefined, least = 1): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UserError(`--${name} must be a whole number of at least ${least}, got '${text}'`);
}

/** The only positional argument of a command. */
export function onePositional(positionals: string[], what: string): string {
  if (positionals.length === 1) return positionals[0];
  const found = positionals.length === 0 ? 'none' : positionals.map((word) => `'${word}'`).join(' ');
  throw new UserError(`expected ${what}, got ${found}. See --help.`);
}
