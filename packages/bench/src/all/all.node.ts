/** `bench all`: every benchmark of this adapter, one after the other, as one report. Node only. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import type { Benchmark, Form } from '../report/benchmark.ts';
import { COMMAND } from '../report/checkout.node.ts';
import { openBenchDevice } from '../report/device.node.ts';
import { formatProvenance, provenance } from '../report/provenance.node.ts';
import { formatReport, passed } from '../report/report.ts';
import { reflow, wrap } from '../timing/table.ts';
import { suitePage } from './html.ts';
import { suiteMarkdown } from './markdown.ts';
import { isShared, type Suite, suiteDocument, suitePassed } from './suite.ts';

export interface AllOptions {
  form: Form;
  /** The folder to write to; a new one is named by the time where this is absent. */
  out?: string;
  /** What the person who measures wants to say of the machine. */
  note?: string;
  /** A folder of shaders in the place of the engine's own. */
  shaders?: string;
}

/** Where progress and the outcome go. */
export interface Say {
  progress(text: string): void;
  outcome(text: string): void;
}

/** `40 s`, `4 min 50 s` */
export function spell(seconds: number): string {
  const whole = Math.round(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return [minutes > 0 ? `${minutes} min` : '', rest > 0 || minutes === 0 ? `${rest} s` : '']
    .filter(Boolean)
    .join(' ');
}

/** `0:40`, `12:05` */
const clock = (seconds: number) => {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
};

const secondsOf = ({ duration }: Benchmark, form: Form) => duration[form] ?? duration.full;

const totalOf = (benchmarks: readonly Benchmark[], form: Form) =>
  benchmarks.reduce((sum, benchmark) => sum + secondsOf(benchmark, form), 0);

/** @param others that are not among them */
export function describeAll(suite: readonly Benchmark[], others: readonly Benchmark[]): string {
  const row = (benchmark: Benchmark) =>
    `  ${benchmark.name.padEnd(12)}${clock(secondsOf(benchmark, 'full')).padStart(6)}${clock(secondsOf(benchmark, 'quick')).padStart(8)}`;
  const total = (form: Form) => clock(totalOf(suite, form));
  return [
    reflow(
      [
        'Runs the benchmarks of this adapter one after the other and writes report.html, report.md (to paste) and report.json (for',
        '`compare`, with all samples) into a new folder. The quick form takes a few samples of less; it is what docs/gpus.md collects.',
        `Not among them: ${others.map(({ name }) => name).join(', ')}.`,
        '',
        'Minutes on a software adapter with two cores; most of it is waiting for samples, so GPUs are little faster:',
        '',
      ].join('\n'),
    ),
    `  ${''.padEnd(12)}${'full'.padStart(6)}${'quick'.padStart(8)}`,
    ...suite.map(row),
    `  ${'all'.padEnd(12)}${total('full').padStart(6)}${total('quick').padStart(8)}`,
  ].join('\n');
}

/** Runs all of them; resolves to whether all bars and controls hold. What is done by then is on the disk after each. */
export async function runAll(todo: readonly Benchmark[], options: AllOptions, say: Say): Promise<boolean> {
  const { form } = options;
  const folder = options.out ?? `bench-report-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}`;
  makeFolder(folder);
  const total = totalOf(todo, form);
  const shorter = form === 'full' ? '; --quick takes a few samples of less' : '';
  const announcement = `${todo.length} benchmarks, ${form} form: about ${spell(total)} on a software adapter with two cores${shorter}.`;
  say.progress(wrap(`${announcement} Keep the machine otherwise idle.`).join('\n'));
  const suite: Suite = {
    form,
    command: `${COMMAND} all${form === 'quick' ? ' --quick' : ''}${options.shaders === undefined ? '' : ` --shaders ${options.shaders}`}`,
    entries: [],
    failed: [],
  };
  const started = performance.now();
  for (const [i, benchmark] of todo.entries()) {
    const rest = totalOf(todo.slice(i), form);
    const pace = i === 0 ? 1 : (performance.now() - started) / 1000 / (total - rest);
    say.progress(`[${i + 1}/${todo.length}] ${benchmark.name}; about ${spell(rest * pace)} left`);
    await measure(benchmark, options, suite, say);
    writeReport(folder, suite);
  }
  say.outcome(
    wrap(`${outcomeOf(suite)}: ${join(folder, 'report.html')}, report.md and report.json`, '  ').join('\n'),
  );
  return suitePassed(suite);
}

/** Runs one, and adds what came of it to `suite`: whatever goes wrong in one is no reason to lose the others. */
async function measure(
  benchmark: Benchmark,
  { form, note, shaders }: AllOptions,
  suite: Suite,
  say: Say,
): Promise<void> {
  const { name } = benchmark;
  const device = await openBenchDevice(shaders);
  try {
    const environment = provenance(device, { note, shaders });
    if (suite.entries.length + suite.failed.length === 0)
      say.progress(wrap(formatProvenance(environment), '  ').join('\n'));
    suite.environment ??= environment;
    const parts = (form === 'quick' ? benchmark.quickParts : undefined) ?? benchmark.parts ?? [];
    const report = await benchmark.run({ device, parts, form, note: (text) => say.progress(`  ${text}`) });
    suite.entries.push({ benchmark: name, environment, report });
    say.outcome(`\n${formatReport(report)}`);
  } catch (error) {
    const { message } = error as Error;
    suite.failed.push({ benchmark: name, message });
    say.progress(`  FAIL ${name}: ${message}`);
  } finally {
    device.close();
  }
}

/** @throws UserError for a folder that holds a report, or cannot be made: before minutes of measuring, not after them */
function makeFolder(folder: string): void {
  if (existsSync(join(folder, 'report.json')))
    throw new UserError(`${folder} holds a report already; name another folder with --out`);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new UserError(`--out ${folder}: the folder cannot be made (${(cause as Error).message})`, {
      cause,
    });
  }
}

function writeReport(folder: string, suite: Suite): void {
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write('report.json', `${JSON.stringify(suiteDocument(suite), null, 1)}\n`);
  write('report.html', suitePage(suite));
  write('report.md', suiteMarkdown(suite));
}

function outcomeOf(suite: Suite): string {
  const wrong = [
    ...suite.failed.map(({ benchmark }) => benchmark),
    ...suite.entries.filter(({ report }) => !passed(report)).map(({ benchmark }) => benchmark),
  ];
  const shared = isShared(suite) ? ' (other work ran on the machine)' : '';
  return wrong.length === 0
    ? `all bars and controls hold${shared}`
    : `something failed in ${wrong.join(', ')}${shared}`;
}
