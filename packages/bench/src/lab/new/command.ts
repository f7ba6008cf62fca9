import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { UserError } from '@hrm-webgpu/core';
import type { LabCommand } from '../command.ts';
import { rebuild, SHADERS } from '../sources.node.ts';
import { namesOf } from './names.ts';
import { kernelFiles, opFiles } from './templates.ts';

const ROOT = dirname(SHADERS);
const print = (text: string) => process.stdout.write(`${text}\n`);

/** @param commands the names of the lab's commands, which are no names of kernels */
export const newCommand = (commands: () => readonly string[]): LabCommand => ({
  summary: 'start a kernel: files that compile and pass their check, to be edited',
  help: `usage: npm run lab -- new <name> [--differentiable]

Writes shaders/<name>.wgsl and packages/kernels/src/defs/<name>.ts: a kernel that squares each element, with its check against
float64. It is right as it stands, is found by tests, lab, benchmarks and tuner without an entry in any list, and is exported
from @hrm-webgpu/kernels. Then docs/kernel-reference.md gets its entry. docs/kernels.md goes on from there.

  --differentiable  also the kernel of its gradient, the op with its gradient rule, and a test of the gradient`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { differentiable: { type: 'boolean', default: false } },
    });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) throw new UserError('new: give one name. See --help.');
    const { differentiable } = values;
    const names = namesOf(name, commands(), differentiable);
    const files = [...kernelFiles(names), ...(differentiable ? opFiles(names) : [])];
    const there = files.find(({ path }) => existsSync(join(ROOT, path)));
    if (there) throw new UserError(`there is a file ${there.path}`);
    for (const { path, text } of files) {
      await mkdir(dirname(join(ROOT, path)), { recursive: true });
      await writeFile(join(ROOT, path), text);
    }
    const width = Math.max(...files.map(({ path }) => path.length));
    for (const { path, purpose } of files) print(`wrote ${path.padEnd(width)}  ${purpose}`);
    const paths = files.map(({ path }) => path).filter((path) => path.endsWith('.ts'));
    await run('node_modules/@biomejs/biome/bin/biome', 'check', '--write', ...paths); // long names break lines
    await rebuild();
    await run('scripts/kernel-reference.mjs');
    print(`\nIt squares each element, and passes its check. Next:\n${nextCommands(name, differentiable)}`);
    return 0;
  },
});

/** Runs a script of the checkout. */
function run(script: string, ...args: string[]): Promise<unknown> {
  return promisify(execFile)(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT });
}

function nextCommands(name: string, differentiable: boolean): string {
  const commands = [
    [`npm run lab -- ${name}`, 'edit the files: each save is checked and timed'],
    differentiable
      ? [`npx vitest run packages/kernels/test/ops/${name}.test.ts`, 'its gradient']
      : [`npm run lab -- mutate ${name}`, 'mistakes are planted; each must be found'],
    [`npm run lab -- tune ${name}`, 'which values of its // tune: constants are fastest here'],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  return commands.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`).join('\n');
}
