/** The report of runs as one page. */
import { wilsonInterval } from '../../evaluation/intervals.ts';
import type { RunFolder } from '../../runs/run-folder.node.ts';
import type { EvaluationLine } from '../../runs/run-lines.ts';
import type { Samples } from '../../runs/samples.ts';
import { GRID_STYLE } from '../grids/grid-svg.ts';
import { escaped, htmlPage } from '../html-page.ts';
import { byteSize, percent } from '../terminal.ts';
import { groupColour } from './charts.ts';
import type { Group } from './groups.ts';
import { sampleTable } from './sample-table.ts';

const STYLE = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 56rem; padding: 0 1rem; color: #1f2328; background: #fdfdfc; }
  h2 { margin-top: 2.2rem; }
  table { border-collapse: collapse; font-size: 14px; }
  td, th { padding: .2rem .9rem .2rem 0; text-align: left; vertical-align: top; font-weight: normal; }
  th { color: #5b6470; }
  td:not(:first-child) { font-variant-numeric: tabular-nums; }
  .wide { overflow-x: auto; }
  svg { max-width: 100%; height: auto; }
  svg.grid { max-width: none; }
${GRID_STYLE}
  @media (prefers-color-scheme: dark) { body { color: #eceef1; background: #16181d; } th { color: #9aa3ae; } svg.grid .wrong { fill: #ff7b86; } }
`;

export interface Reported {
  run: RunFolder;
  samples?: Samples;
}

/** @param curves the SVG of all runs; absent where nothing has been logged */
export function reportPage(
  groups: readonly Group[],
  reported: readonly Reported[],
  curves: string | undefined,
): string {
  const title = reported.length === 1 ? `Run ${reported[0].run.name}` : `${reported.length} runs`;
  const styles = [...(curves?.matchAll(/<style>([^<]*)<\/style>/g) ?? [])].map(([, style]) => style);
  const body = [
    `<h1>${escaped(title)}</h1>`,
    resultsTable(reported),
    curves ? `${legend(groups)}\n${curves}` : '<p>Nothing has been logged yet.</p>',
    ...reported.map(({ run, samples }) =>
      samples ? section(`Answers over time: ${run.name}`, sampleTable(samples)) : '',
    ),
    section('Settings', settingsTable(reported.map(({ run }) => run))),
    ...reported.map(({ run }) => section(`Sessions of ${run.name}`, sessionsTable(run))),
  ];
  return htmlPage(title, [STYLE, ...styles], body.filter(Boolean).join('\n'));
}

const section = (title: string, body: string) => (body ? `<h2>${escaped(title)}</h2>\n${body}` : '');

function rowsTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('\n')}</table></div>`;
}

/** With an interval of 95 %, as `hrm eval` has it. */
function exactOf(line: EvaluationLine | undefined): string {
  const { exact_accuracy: share, count } = line?.figures ?? {};
  if (line === undefined || share === undefined) return '–';
  const [low, high] = wilsonInterval(share, count ?? 0);
  const of = count === undefined ? '' : ` of ${count}, 95 %: ${percent(low)} to ${percent(high)}`;
  return `${percent(share)}${of} (step ${line.step})`;
}

function resultsTable(reported: readonly Reported[]): string {
  const rows = reported.map(({ run: { name, state, step, totalSteps, best, evaluations, bytes } }) => [
    name,
    `${state}, step ${step}${totalSteps === undefined ? '' : ` of ${totalSteps}`}`,
    exactOf(best),
    exactOf(evaluations.at(-1)),
    byteSize(bytes),
  ]);
  return rowsTable(['run', 'state', 'exact, best evaluation', 'exact, last', 'on disk'], rows);
}

/** Every figure of the last evaluation stands in log.jsonl; which line is whose stands here. */
function legend(groups: readonly Group[]): string {
  if (groups.length === 1) return '';
  const items = groups.map(
    ({ name }, i) =>
      `<li><svg width="18" height="10"><rect width="18" height="10" fill="${groupColour(i)}"/></svg> ${escaped(name)}</li>`,
  );
  return `<ul>${items.join('')}</ul>`;
}

function settingsTable(runs: readonly RunFolder[]): string {
  const keys = [...new Set(runs.flatMap(({ settings }) => [...settings.keys()]))];
  const rows = keys.map((key) => [key, ...runs.map(({ settings }) => String(settings.get(key) ?? '–'))]);
  return rows.length === 0 ? '' : rowsTable(['', ...runs.map(({ name }) => name)], rows);
}

function sessionsTable({ sessions }: RunFolder): string {
  const rows = sessions.map(({ time, step, changes, environment }) => [
    time === undefined ? '–' : new Date(time).toISOString().slice(0, 16).replace('T', ' '),
    String(step),
    Object.entries(changes)
      .map(([key, value]) => `${key} ${String(value)}`)
      .join(', '),
    environmentText(environment),
  ]);
  return rows.length === 0 ? '' : rowsTable(['UTC', 'from step', 'changed', 'on'], rows);
}

function environmentText(environment: Readonly<Record<string, unknown>>): string {
  const { adapter, node, webgpu, os, cpu, version, commit } = environment as Record<string, string> & {
    adapter?: { description?: string };
  };
  const { description } = (adapter ?? {}) as { description?: string };
  return [
    description,
    cpu,
    os,
    node && `Node ${node}`,
    webgpu && `webgpu ${webgpu}`,
    version && `hrm-webgpu ${version}`,
    commit,
  ]
    .filter(Boolean)
    .join(' · ');
}
