// The table of docs/gpus.md, made of the reports in docs/gpus: each is what `npm run bench -- all --quick` wrote on one machine.
//
//   --check   changes nothing; exit code 1 where the table is not what the reports say
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'docs/gpus');
const page = join(root, 'docs/gpus.md');
const MARKS = /(<!-- table -->\n)[\s\S]*(\n<!-- end -->)/;

const HEADER = [
  'adapter',
  'machine',
  'multiply-adds, GFLOP/s',
  'copy, GB/s',
  '512³ product, GFLOP/s',
  "a block's products, of the peak",
  'a training call, ms',
  'a segment of 27 M, ms',
  'measured',
];

/** Three significant digits; a dash where there is no number. */
const short = (value) => (value === undefined ? '–' : value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** What makes of a cell more than its text. */
const cell = (text) =>
  String(text)
    .replace(/[\\|<>`*_[\]]/g, (mark) => `\\${mark}`)
    .replace(/\s+/g, ' ');

/** What `bench all` measures; a report may lack some, because they failed or the run was ended before them. */
const SUITE = ['matmul', 'kernels', 'attention', 'train-step', 'infer', 'memory', 'load', 'host'];

/** A row of the table, from a report by its file's name; `–` is what the report does not have. */
export function rowOf(name, report) {
  const { environment, documents } = report;
  if (!environment || !documents?.length)
    throw new Error(`${name}: is no report; write it with: npm run bench -- all --quick`);
  const { adapter, os, node, webgpu, cpu } = environment;
  const found = new Map(documents.map((document) => [document.benchmark, document]));
  const medianOf = (benchmark, result) =>
    found.get(benchmark)?.results.find((other) => other.name === result)?.medianMs;
  const { roofline, bars = [] } = found.get('kernels') ?? {};
  const shares = bars.map(({ ratio }) => 100 * ratio);
  const rates = (found.get('matmul')?.results ?? []).map(({ gflops }) => gflops);
  return [
    adapter.description || adapter.device || adapter.architecture || adapter.vendor || 'unnamed',
    `${cpu}, ${os.split(' ')[0]}, Node ${node}, webgpu ${webgpu}`,
    short(roofline?.fmaGflops),
    short(roofline?.copyGBs),
    short(rates.length > 0 ? Math.max(...rates) : undefined),
    shares.length > 0 ? `${Math.min(...shares).toFixed(0)}–${Math.max(...shares).toFixed(0)} %` : '–',
    short(medianOf('train-step', 'hidden 128, batch 4, 4 × 4 cycles')),
    short(medianOf('infer', 'segment, 1 puzzle')),
    measuredHow(name, report).join('; '),
  ];
}

/** When and under what circumstances, and what a reader must know before trusting it. */
function measuredHow(name, { environment, suite, documents }) {
  const { date, commit, version, load, note } = environment;
  const controls = documents.flatMap((document) => document.controls);
  const noisy = controls.filter(({ ok }) => !ok).length;
  const missing = SUITE.filter(
    (benchmark) => !documents.some((document) => document.benchmark === benchmark),
  );
  return [
    `${date.slice(0, 10)}, ${commit ?? version}, ${suite} form`,
    load > 0.5 ? `shared machine (load ${load.toFixed(1)})` : 'quiet machine',
    ...(note ? [note] : []),
    ...(noisy > 0 ? [`${noisy} of ${controls.length} controls too noisy`] : []),
    ...(missing.length > 0 ? [`without ${missing.join(', ')}`] : []),
    name,
  ];
}

/** The Markdown table of reports by file name. */
export function tableOf(reports) {
  const rows = [...reports].map(([name, report]) => rowOf(name, report).map(cell));
  return [HEADER, HEADER.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function readReports() {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const text = readFileSync(page, 'utf8');
  const wanted = text.replace(MARKS, (_, before, after) => `${before}\n${tableOf(readReports())}\n${after}`);
  if (!values.check) writeFileSync(page, wanted);
  else if (wanted !== text) {
    console.error('docs/gpus.md is not what the reports in docs/gpus say; run: node scripts/gpus.mjs');
    process.exitCode = 1;
  }
}
