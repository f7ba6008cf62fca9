/** A report as one HTML file that fetches nothing and runs nothing: its policy forbids both. */
import { createHash } from 'node:crypto';
import { formatProvenance, nameOf, type Provenance } from '../report/provenance.node.ts';
import { formatBar, formatRatio } from '../report/report.ts';
import { escaped } from './escaped.ts';
import { rooflinePlot } from './roofline-plot.ts';
import { type Entry, isShared, rooflineText, type Suite, timingsOf } from './suite.ts';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; font-size: 14px; }
td, th { padding: .15rem .8rem .15rem 0; text-align: right; font-weight: normal; }
td:first-child, th:first-child { text-align: left; }
th { color: #666; border-bottom: 1px solid #ccc; }
.fail { color: #b00020; font-weight: bold; }
ol { columns: 2; font-size: 13px; }
svg { max-width: 100%; height: auto; }
`;

/** No script, nothing from elsewhere, and of styles only the one above, by its hash. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function suitePage(suite: Suite): string {
  const { form, command, entries, failed } = suite;
  const environment = suite.environment as Provenance; // there is one after the first benchmark
  const title = `hrm-webgpu bench: ${nameOf(environment)}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<h1>${escaped(title)}</h1>
<p>${escaped(environment.date)}, ${form} form. ${escaped(formatProvenance(environment))}${
    isShared(suite) ? '. <strong>Other work ran on the machine.</strong>' : ''
  }</p>
<p>Again: <code>${escaped(command)}</code>. The numbers with all samples are in report.json beside this page; two such files are
compared by <code>compare</code>.</p>
${rooflineSection(entries)}
<h2>Bars and controls</h2>
${verdictList(suite)}
${failed.map(({ benchmark, message }) => `<p class="fail">${escaped(`${benchmark}: ${message}`)}</p>`).join('\n')}
${entries.map(entrySection).join('\n')}
</html>
`;
}

function rooflineSection(entries: readonly Entry[]): string {
  const measured = entries.find(({ benchmark, report }) => benchmark === 'kernels' && report.roofline);
  const roofline = measured?.report.roofline;
  if (!measured || !roofline) return '';
  const points = timingsOf([measured]).flatMap(({ name, gflops = 0, gbs = 0, share }) =>
    gflops > 0 && gbs > 0 && share !== undefined ? [{ name, gflops, intensity: gflops / gbs, share }] : [],
  );
  const legend = points.map(({ name, share }) => `<li>${escaped(name)}: ${(100 * share).toFixed(0)} %</li>`);
  return `<h2>Roofline</h2>
<p>${escaped(rooflineText(roofline))}. What computes nothing is left out; above the roof, caches beat
the memory. Numbers are shares of what the roofline allows.</p>
${rooflinePlot(roofline, points)}
<ol>${legend.join('')}</ol>`;
}

function verdictList({ entries }: Suite): string {
  const items = entries.flatMap(({ benchmark, report }) => [
    ...report.controls.map((control) => {
      const text = `${control.ok ? 'ok' : 'FAIL'} control: ${control.name}: ${formatRatio(control)}, within ${control.widest}`;
      return { ok: control.ok, text: `${benchmark}: ${text}` };
    }),
    ...report.bars.map((bar) => ({ ok: bar.ok, text: `${benchmark}: ${formatBar(bar)}` })),
  ]);
  return `<ul>${items.map(({ ok, text }) => `<li${ok ? '' : ' class="fail"'}>${escaped(text)}</li>`).join('\n')}</ul>`;
}

function entrySection({ benchmark, report }: Entry): string {
  const [header, ...rows] = report.table;
  const row = (kind: string) => (cells: readonly string[]) =>
    `<tr>${cells.map((text) => `<${kind}>${escaped(text)}</${kind}>`).join('')}</tr>`;
  const notes = [
    ...(report.shown ?? []).map((text) => `Not judged: ${text}`),
    ...report.skipped.map((text) => `Not measured: ${text}`),
  ];
  return `<h2>${escaped(benchmark)}</h2>
<p>${escaped(report.title)}</p>
<table>${row('th')(header)}${rows.map(row('td')).join('\n')}</table>
${notes.map((text) => `<p>${escaped(text)}</p>`).join('\n')}`;
}
