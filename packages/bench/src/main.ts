/** The `bench` command. Node only. */

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GpuError, UserError } from '@hrm-webgpu/core';
import { inCheckout } from 'hrm-webgpu/node';
import { describeAll, runAll, spell } from './all/all.node.ts';
import { benchmarks, suite } from './benchmarks.ts';
import type { Benchmark } from './report/benchmark.ts';
import { COMMAND } from './report/checkout.node.ts';
import { COMPARE_DESCRIPTION, compareAll, formatComparison } from './report/compare.ts';
import { openBenchDevice } from './report/device.node.ts';
import { readDocuments } from './report/document.node.ts';
import { documentOf } from './report/document.ts';
import { formatProvenance, provenance } from './report/provenance.node.ts';
import { formatReport, passed } from './report/report.ts';
import { reflow, wrap } from './timing/table.ts';

/** Where text goes. */
export interface Streams {
  /** Results: a report, one JSON document, or help. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
}

const terminal: Streams = {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
};

/** Runs the command line `args`. Returns the exit code: 0, or 1 for a mistake or a failed bar or control. */
export async function main(args: readonly string[], streams: Streams = terminal): Promise<number> {
  try {
    const line = parse(args);
    const { name, help } = line;
    if (name === 'compare') return await compareFiles(line, streams);
    if (name === 'all') return await all(line, streams);
    const benchmark = name === undefined ? undefined : findBenchmark(name);
    if (benchmark && !help) return await run(benchmark, line, streams);
    streams.out(benchmark ? describe(benchmark) : overview());
    return 0;
  } catch (error) {
    // What WebGPU reports names the shader, line and column; a stack trace would only hide it.
    if (!(error instanceof UserError || error instanceof GpuError)) throw error;
    streams.err(`bench: ${error.message}`);
    return 1;
  }
}

async function run(benchmark: Benchmark, line: Line, streams: Streams): Promise<number> {
  const { name, needsCheckout } = benchmark;
  const form = formOf(benchmark, line);
  const parts = partsOf(benchmark, line);
  if (needsCheckout && !inCheckout)
    throw new UserError(
      `'${name}' needs files of the repository: clone it and run npm run bench -- ${name} there.`,
    );
  if (line.out !== undefined) expectFolderOf(line.out);
  expectUse(benchmark, line);
  const device = await openBenchDevice(line.shaders);
  try {
    const environment = provenance(device, line);
    streams.err(wrap(formatProvenance(environment), '  ').join('\n'));
    streams.err(
      `about ${spell(benchmark.duration[form] ?? benchmark.duration.full)} on a software adapter with two cores`,
    );
    const report = await benchmark.run({ device, parts, form, note: streams.err });
    const document = JSON.stringify(documentOf(name, environment, report), null, 2);
    if (line.out !== undefined) writeFileSync(line.out, `${document}\n`);
    streams.out(line.json ? document : `\n${formatReport(report)}`);
    return passed(report) ? 0 : 1;
  } finally {
    device.close();
  }
}

/** @throws UserError where shaders are given to what has no use for them */
function expectUse({ name, ownKernels }: Benchmark, { shaders }: Line): void {
  if (ownKernels && shaders !== undefined)
    throw new UserError(`benchmark '${name}' has no use for other shaders: leave --shaders out.`);
}

/** @throws UserError where a file could not be written: before minutes of measuring, not after them */
function expectFolderOf(file: string): void {
  const folder = dirname(resolve(file));
  if (!existsSync(folder)) throw new UserError(`--out ${file}: there is no folder ${folder}`);
  if (existsSync(file) && statSync(file).isDirectory())
    throw new UserError(`--out ${file}: is a folder; name a file in it`);
}

async function all({ rest, json, help, quick, out, note, shaders }: Line, streams: Streams): Promise<number> {
  if (help) {
    const others = benchmarks.filter((benchmark) => !suite.includes(benchmark));
    streams.out(`${ALL_USAGE}\n\n${describeAll(suite, others)}\n\n${OPTIONS}`);
    return 0;
  }
  if (rest.length > 0) throw new UserError(`all: unexpected '${rest[0]}'\n${ALL_USAGE}`);
  if (json) throw new UserError('all: writes report.json by itself; leave --json out');
  const form = quick ? 'quick' : 'full';
  const todo = suite.filter(({ ownKernels }) => !(ownKernels && shaders !== undefined));
  const ok = await runAll(
    todo,
    { form, out, note, shaders },
    { progress: streams.err, outcome: streams.out },
  );
  return ok ? 0 : 1;
}

async function compareFiles(line: Line, streams: Streams): Promise<number> {
  const { rest: files, json, help, quick, out, note, shaders } = line;
  if (help) {
    streams.out(`${COMPARE_USAGE}\n\n${reflow(COMPARE_DESCRIPTION)}`);
    return 0;
  }
  if (quick || [out, note, shaders].some((value) => value !== undefined))
    throw new UserError(`compare: knows --json alone\n${COMPARE_USAGE}`);
  if (files.length < 2) throw new UserError(`compare: name at least two files\n${COMPARE_USAGE}`);
  const contents = [];
  for (const file of files) contents.push(await readDocuments(file)); // in order: the first bad one is named
  const [base, ...others] = contents;
  const comparisons = others.flatMap((other) => compareAll(base, other));
  streams.out(json ? JSON.stringify(comparisons, null, 2) : comparisons.map(formatComparison).join('\n'));
  return 0;
}

/** A command line, parsed. */
interface Line {
  name?: string;
  rest: string[];
  json: boolean;
  help: boolean;
  quick: boolean;
  out?: string;
  note?: string;
  shaders?: string;
}

function parse(args: readonly string[]): Line {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        quick: { type: 'boolean', default: false },
        out: { type: 'string' },
        note: { type: 'string' },
        shaders: { type: 'string' },
      },
    });
    const [name, ...rest] = positionals;
    return { name, rest, ...values };
  } catch (cause) {
    throw new UserError(`${(cause as Error).message}\n${usage('<name> [part…]')}`, { cause });
  }
}

function findBenchmark(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found) return found;
  const known = benchmarks.map((benchmark) => benchmark.name).join(', ');
  throw new UserError(`there is no benchmark '${name}'. There are: ${known}, all, compare.`);
}

function formOf({ name, duration }: Benchmark, { quick }: Line) {
  if (!quick) return 'full';
  if (duration.quick === undefined)
    throw new UserError(`benchmark '${name}' has no quick form: leave --quick out.`);
  return 'quick';
}

/** The parts that the line asks for; where it names none, all of those of the form. */
function partsOf(
  { name, parts = [], choose, quickParts }: Benchmark,
  { rest, quick }: Line,
): readonly string[] {
  const unknown = rest.find((part) => !parts.includes(part));
  if (unknown !== undefined) {
    const known = parts.length > 0 ? `its parts are: ${parts.join(', ')}` : 'it has no parts';
    throw new UserError(`benchmark '${name}' has no part '${unknown}'; ${known}.`);
  }
  if (rest.length > 0) return parts.filter((part) => rest.includes(part));
  if (choose) throw new UserError(`benchmark '${name}': name a ${choose}. There are: ${parts.join(', ')}.`);
  return (quick && quickParts) || parts;
}

const usage = (words: string) => `usage: ${COMMAND} ${words}`;

const ALL_USAGE = usage('all [--quick] [--out FOLDER] [--note TEXT]\n       [--shaders DIR]');
const COMPARE_USAGE = usage('compare <before.json> <after.json>… [--json]');

const OPTIONS = [
  '--json        one JSON document on stdout, with all samples; the rest on stderr',
  '--out PATH    that document to a file, beside the report on stdout;',
  '              for all: the folder for its report',
  '--quick       a few samples of less',
  '--note TEXT   for the record: what a reader should know of this machine',
  '--shaders DIR kernels from the .wgsl files of a folder; those that are not',
  '              there are ours',
].join('\n');

function describe({ name, parts, choose, duration, description, quickParts }: Benchmark): string {
  const part = choose ? `<${choose}>…` : parts ? '[part…]' : '';
  const quick =
    duration.quick === undefined
      ? ''
      : `; --quick ${spell(duration.quick)}${quickParts ? ` (of its parts ${quickParts.join(', ')})` : ''}`;
  const time = `Takes about ${spell(duration.full)} on a software adapter with two cores${quick}.`;
  return [
    usage([name, part, '[options]'].filter(Boolean).join(' ')),
    '',
    reflow(description),
    '',
    ...wrap(time),
    '',
    OPTIONS,
  ].join('\n');
}

function overview(): string {
  const commands = [
    ...benchmarks,
    { name: 'all', summary: 'those of this adapter, as one report: HTML, Markdown, JSON' },
    { name: 'compare', summary: 'files that --out or all wrote: what became faster or slower' },
  ];
  const width = Math.max(...commands.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 5);
  return [
    usage('<name> [part…] [options]'),
    '',
    ...commands.flatMap(({ name, summary }) => wrap(`  ${name.padEnd(width)}   ${summary}`, indent)),
    '',
    OPTIONS,
    '',
    ...wrap(
      'Exit code 1 when a bar or control fails. Keep the machine otherwise idle while a benchmark runs.',
    ),
  ].join('\n');
}
