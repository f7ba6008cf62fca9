// `npm run portability`: the same kernels, parity and training on every implementation of WebGPU that this machine can
// have (Dawn in variants, wgpu in Deno and Firefox, Chromium), and a table of what held. Exit code 1 when anything is wrong.
//
//   --whole        every case of every kernel in every run (half an hour), instead of slices
//   --only WORD    runs whose name has the word in it (repeatable)
//   --write        the table to docs/portability.md too
//   --json         one JSON document on stdout instead of the table
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleSuite } from './portability/bundle.mjs';
import { runIn, SWIFTSHADER } from './portability/hosts.mjs';
import { RUNS, suiteOf } from './portability/runs.mjs';
import { findChromium, findFirefox, installFirefox } from './system-packages.mjs';
import { installTools } from './tools.mjs';

const folder = fileURLToPath(new URL('../build/portability/', import.meta.url));
const document = fileURLToPath(new URL('../docs/portability.md', import.meta.url));
const say = (text) => console.error(`portability: ${text}`);
/** At a time: compiling keeps a core busy. */
const SIDE_BY_SIDE = 2;
/** A run that takes longer hangs. */
const PATIENCE_MS = 25 * 60_000;
/** Losses of one group may differ by so much. */
const LOSS_BAR = 1e-6;

const { values } = parseArgs({
  options: {
    whole: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Why a run cannot be made here; undefined where it can. */
function reasonToSkip({ host, swiftshader }) {
  if (host === 'firefox' && !findFirefox()) {
    try {
      return installFirefox(say);
    } catch (error) {
      return error.message;
    }
  }
  if (host === 'chromium' && !findChromium()) return 'there is no Chromium (npm run setup installs it)';
  if (swiftshader && !existsSync(SWIFTSHADER)) return `there is no ${SWIFTSHADER}: it comes with Chromium`;
  return undefined;
}

async function perform(run, deno) {
  const skipped = reasonToSkip(run);
  if (skipped) return { run, skipped };
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const report = await runIn(run, suiteOf(run, values.whole), { folder, deno, signal });
    return { run, report, seconds: seconds() };
  } catch (error) {
    return { run, failure: error.message, seconds: seconds() };
  }
}

/** All runs, `SIDE_BY_SIDE` at a time, the slow ones first. */
async function performAll(runs, deno) {
  const waiting = [...runs].sort((a, b) => Number(b.slow ?? false) - Number(a.slow ?? false));
  const results = [];
  const worker = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      say(`${run.name}…`);
      const result = await perform(run, deno);
      results.push(result);
      const failures = failuresOf(result);
      say(
        `${run.name}: ${result.skipped ? 'skipped' : failures.length > 0 ? 'FAILED' : 'ok'} after ${(result.seconds ?? 0).toFixed(0)} s`,
      );
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return RUNS.flatMap((run) => results.find((result) => result.run === run) ?? []);
}

function failuresOf({ report, failure }) {
  if (failure) return [failure];
  return (report?.rows ?? []).flatMap(({ name, failures }) => failures.map((text) => `${name}: ${text}`));
}

/** The largest difference of a run's losses from those of its group's reference; undefined without one. */
function lossDifference({ run, report }, results) {
  if (!run.losses || !report) return undefined;
  const reference = results.find((other) => other.run.losses === run.losses && other.run.reference)?.report;
  if (!reference) return undefined;
  return Math.max(...report.losses.map((loss, i) => Math.abs(loss - (reference.losses[i] ?? Number.NaN))));
}

function tableOf(results) {
  const rows = results.map((result) => {
    const { run, report, skipped, seconds } = result;
    if (skipped) return [run.name, 'skipped', '', '', '', ''];
    const failures = failuresOf(result);
    const count = (name) => String(report?.rows.find((row) => row.name === name)?.count ?? '–');
    const difference = lossDifference(result, results);
    const losses = run.reference
      ? `reference: ${run.losses}`
      : difference === undefined
        ? '–'
        : `${difference.toExponential(0)} of 1e-6`;
    return [
      run.name,
      failures.length > 0 ? 'FAILED' : 'ok',
      count('kernels'),
      count('parity of tiny-rope'),
      losses,
      `${seconds.toFixed(0)} s`,
    ];
  });
  return [['', '', 'kernel cases', 'parity arrays', 'losses of 60 steps', ''], ...rows];
}

/** What was left out, each with its reason: whole runs, and kernels with the runs that they were left out of. */
function omissions(results) {
  const runs = results.filter(({ skipped }) => skipped).map(({ run, skipped }) => `${run.name}: ${skipped}`);
  const kernels = new Map();
  for (const { run, report } of results) {
    for (const text of (report?.rows ?? []).flatMap(({ skipped }) => skipped)) {
      const [name, reason] = text.split(': ');
      const where = kernels.get(reason) ?? { names: new Set(), runs: new Set() };
      kernels.set(reason, where);
      where.names.add(name);
      where.runs.add(run.name);
    }
  }
  const lists = [...kernels].map(
    ([reason, { names, runs: where }]) => `${[...names].join(', ')} in ${[...where].join('; ')}: ${reason}`,
  );
  return [...runs, ...lists];
}

function print(results, failures) {
  const table = tableOf(results);
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  const left = omissions(results);
  if (left.length > 0) console.log(`\nleft out:\n${left.map((text) => `  ${text}`).join('\n')}`);
  for (const failure of failures) console.log(`\nFAILED ${failure}`);
  console.log(`\n${results.length} runs, ${failures.length} failures`);
}

/** Puts the table between the marks of docs/portability.md. */
function write(results) {
  const [header, ...rows] = tableOf(results);
  const lines = [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const left = omissions(results).map((text) => `- ${text}`);
  const body = [...lines, '', 'Left out:', '', ...left].join('\n');
  const text = readFileSync(document, 'utf8');
  writeFileSync(document, text.replace(/(<!-- table -->\n)[\s\S]*(\n<!-- end -->)/, `$1\n${body}\n$2`));
}

const { deno } = installTools(say);
rmSync(folder, { recursive: true, force: true });
await bundleSuite(folder);
const chosen = RUNS.filter(
  ({ name }) =>
    values.only.length === 0 || values.only.some((word) => name.toLowerCase().includes(word.toLowerCase())),
);
if (chosen.length === 0)
  throw new Error(`no run is called so; there are ${RUNS.map(({ name }) => name).join(', ')}`);
const results = await performAll(chosen, deno);
const failures = results.flatMap((result) => failuresOf(result).map((text) => `${result.run.name}: ${text}`));
for (const result of results) {
  const difference = lossDifference(result, results);
  if (difference !== undefined && !(difference <= LOSS_BAR))
    failures.push(
      `${result.run.name}: losses differ by ${difference} from the same kernels' on the same driver`,
    );
}
if (values.json) console.log(JSON.stringify({ results, failures }, null, 2));
else print(results, failures);
if (values.write) write(results);
process.exitCode = failures.length > 0 ? 1 : 0;
