/** The `bench` command. Node only. */
import { parseArgs } from 'node:util';
import { GpuError, openDevice, UserError } from '@hrm-webgpu/core';
import { benchmarks } from './benchmarks.ts';
import type { Benchmark } from './report/benchmark.ts';
import { COMPARE_DESCRIPTION, compareDocuments, formatComparison } from './report/compare.ts';
import { documentOf, readDocument } from './report/document.node.ts';
import { formatProvenance, provenance } from './report/provenance.node.ts';
import { formatReport, passed } from './report/report.ts';

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
    const { name, rest, json, help } = parse(args);
    if (name === 'compare') return await compareFiles(rest, { json, help }, streams);
    const benchmark = name === undefined ? undefined : findBenchmark(name);
    if (benchmark && !help) return await run(benchmark, partsOf(benchmark, rest), json, streams);
    streams.out(benchmark ? `${usageOf(benchmark)}\n\n${benchmark.description}` : overview());
    return 0;
  } catch (error) {
    // What WebGPU reports names the shader, line and column; a stack trace would only hide it.
    if (!(error instanceof UserError || error instanceof GpuError)) throw error;
    streams.err(`bench: ${error.message}`);
    return 1;
  }
}

async function run(
  benchmark: Benchmark,
  parts: readonly string[],
  json: boolean,
  streams: Streams,
): Promise<number> {
  const device = await openDevice();
  try {
    const environment = provenance(device);
    streams.err(formatProvenance(environment));
    const report = await benchmark.run({ device, parts, note: streams.err });
    const document = documentOf(benchmark.name, environment, report);
    streams.out(json ? JSON.stringify(document, null, 2) : `\n${formatReport(report)}`);
    return passed(report) ? 0 : 1;
  } finally {
    device.close();
  }
}

async function compareFiles(
  files: readonly string[],
  { json, help }: Flags,
  streams: Streams,
): Promise<number> {
  if (help) {
    streams.out(`${COMPARE_USAGE}\n\n${COMPARE_DESCRIPTION}`);
    return 0;
  }
  if (files.length < 2) throw new UserError(`compare: name at least two files\n${COMPARE_USAGE}`);
  const documents = [];
  for (const file of files) documents.push(await readDocument(file)); // in order: the first bad one is named
  const [base, ...others] = documents;
  const comparisons = others.map((other) => compareDocuments(base, other));
  streams.out(json ? JSON.stringify(comparisons, null, 2) : comparisons.map(formatComparison).join('\n'));
  return 0;
}

interface Flags {
  json: boolean;
  help: boolean;
}

function parse(args: readonly string[]): Flags & { name?: string; rest: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
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
  throw new UserError(`there is no benchmark '${name}'. There are: ${known}.`);
}

/** The parts that `names` ask for: all where there are no names. */
function partsOf({ name, parts = [] }: Benchmark, names: readonly string[]): readonly string[] {
  const unknown = names.find((part) => !parts.includes(part));
  if (unknown === undefined) return names.length > 0 ? parts.filter((part) => names.includes(part)) : parts;
  const known = parts.length > 0 ? `its parts are: ${parts.join(', ')}` : 'it has no parts';
  throw new UserError(`benchmark '${name}' has no part '${unknown}'; ${known}.`);
}

const usage = (words: string) => `usage: npm run -s bench -- ${words} [--json] [--help]`;

const usageOf = ({ name, parts }: Benchmark) => usage(parts ? `${name} [part…]` : name);

const COMPARE_USAGE = usage('compare <before.json> <after.json> [more.json…]');

function overview(): string {
  const width = Math.max('compare'.length, ...benchmarks.map(({ name }) => name.length));
  return [
    usage('<name> [part…]'),
    '',
    ...benchmarks.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`),
    `  ${'compare'.padEnd(width)}   two documents that --json wrote: what became faster or slower`,
    '',
    '--json   one JSON document on stdout, with all samples; everything else goes to stderr',
    '',
    'Exit code 1 when a bar or control fails. Keep the machine otherwise idle while a benchmark runs.',
  ].join('\n');
}
