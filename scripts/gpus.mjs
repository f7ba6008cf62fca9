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

/** Three significant digits. */
const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** What makes of a cell more than its text. */
const cell = (text) =>
  String(text)
    .replace(/[\\|<>`*_[\]]/g, (mark) => `\\${mark}`)
    .replace(/\s+/g, ' ');

/** A row of the table, from a report by its file's name. */
export function rowOf(name, report) {
  const need = (what, value) => {
    if (value === undefined || value === null)
      throw new Error(`${name}: has no ${what}; write it with: npm run bench -- all --quick`);
    return value;
  };
  const documents = new Map(
    need('documents', report.documents).map((document) => [document.benchmark, document]),
  );
  const documentOf = (benchmark) => need(`benchmark '${benchmark}'`, documents.get(benchmark));
  const medianOf = (benchmark, result) =>
    need(
      `'${result}' in ${benchmark}`,
      documentOf(benchmark).results.find((other) => other.name === result),
    ).medianMs;
  const environment = need('environment', report.environment);
  const { adapter, os, node, webgpu, cpu, date, commit, version } = environment;
  const { roofline, bars } = documentOf('kernels');
  const shares = bars.map(({ ratio }) => 100 * ratio);
  const best = Math.max(...documentOf('matmul').results.map(({ gflops }) => gflops));
  const controls = report.documents.flatMap((document) => document.controls);
  const noisy = controls.filter(({ ok }) => !ok).length;
  return [
    adapter.description || adapter.device || adapter.architecture || adapter.vendor || 'unnamed',
    `${cpu}, ${os.split(' ')[0]}, Node ${node}, webgpu ${webgpu}`,
    short(roofline.fmaGflops),
    short(roofline.copyGBs),
    short(best),
    `${Math.min(...shares).toFixed(0)}–${Math.max(...shares).toFixed(0)} %`,
    short(medianOf('train-step', 'hidden 128, batch 4, 4 × 4 cycles')),
    short(medianOf('infer', 'segment, 1 puzzle')),
    [
      `${date.slice(0, 10)}, ${commit ?? version}, ${report.suite} form`,
      environment.load > 0.5 ? `shared machine (load ${environment.load.toFixed(1)})` : 'quiet machine',
      ...(environment.note ? [environment.note] : []),
      ...(noisy > 0 ? [`${noisy} of ${controls.length} controls too noisy`] : []),
      ...(report.failed?.length > 0
        ? [`failed: ${report.failed.map(({ benchmark }) => benchmark).join(', ')}`]
        : []),
      name,
    ].join('; '),
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
