/** The `bench` command. Node only. */
import { parseArgs } from 'node:util';
import { GpuError, openDevice, UserError } from '@hrm-webgpu/core';
import type { Benchmark } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { formatProvenance, provenance } from './provenance.node.ts';
import { formatReport, passed } from './report.ts';

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
    const { name, json, help } = parse(args);
    const benchmark = name === undefined ? undefined : findBenchmark(name);
    if (benchmark && !help) return await run(benchmark, json, streams);
    streams.out(benchmark ? `${usage(benchmark.name)}\n\n${benchmark.description}` : overview());
    return 0;
  } catch (error) {
    // What WebGPU reports names the shader, line and column; a stack trace would only hide it.
    if (!(error instanceof UserError || error instanceof GpuError)) throw error;
    streams.err(`bench: ${error.message}`);
    return 1;
  }
}

async function run(benchmark: Benchmark, json: boolean, streams: Streams): Promise<number> {
  const device = await openDevice();
  try {
    const environment = provenance(device);
    streams.err(formatProvenance(environment));
    const report = await benchmark.run({ device, note: streams.err });
    const ok = passed(report);
    const { title, table: _, ...findings } = report;
    const document = { benchmark: benchmark.name, title, ok, environment, ...findings };
    streams.out(json ? JSON.stringify(document, null, 2) : `\n${formatReport(report)}`);
    return ok ? 0 : 1;
  } finally {
    device.close();
  }
}

function parse(args: readonly string[]): { name?: string; json: boolean; help: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (positionals.length > 1) throw new Error(`one benchmark at a time, got: ${positionals.join(' ')}`);
    return { name: positionals[0], ...values };
  } catch (cause) {
    throw new UserError(`${(cause as Error).message}\n${usage('<name>')}`, { cause });
  }
}

function findBenchmark(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name);
  if (found) return found;
  const known = benchmarks.map((benchmark) => benchmark.name).join(', ');
  throw new UserError(`there is no benchmark '${name}'. There are: ${known}.`);
}

const usage = (name: string) => `usage: npm run -s bench -- ${name} [--json] [--help]`;

function overview(): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  return [
    usage('<name>'),
    '',
    ...benchmarks.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`),
    '',
    '--json   one JSON document on stdout, with all samples; everything else goes to stderr',
    '',
    'Exit code 1 when a bar or control fails. Keep the machine otherwise idle while a benchmark runs.',
  ].join('\n');
}
