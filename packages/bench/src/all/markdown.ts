/** A report as Markdown, for an issue or a message. */
import { formatProvenance, type Provenance } from '../report/provenance.node.ts';
import { formatBar, formatRatio } from '../report/report.ts';
import { significant } from '../timing/table.ts';
import { isShared, rooflineText, type Suite, type Timing, timingsOf } from './suite.ts';

export function suiteMarkdown(suite: Suite): string {
  const { form, command, entries, failed } = suite;
  const environment = suite.environment as Provenance; // there is one after the first benchmark
  const roofline = entries.find(({ report }) => report.roofline)?.report.roofline;
  const verdicts = entries.flatMap(({ benchmark, report }) => [
    ...report.controls.map(
      (control) =>
        `${control.ok ? 'ok' : 'FAIL'} control: ${control.name}: ${formatRatio(control)} (${benchmark})`,
    ),
    ...report.bars.map((bar) => `${formatBar(bar)} (${benchmark})`),
  ]);
  const shown = entries.flatMap(({ report }) => report.shown ?? []);
  return [
    `**hrm-webgpu bench, ${form} form**, ${environment.date}`,
    '',
    `${cell(formatProvenance(environment))}${isShared(suite) ? ' · other work ran on the machine' : ''}`,
    ...(roofline ? ['', cell(rooflineText(roofline))] : []),
    '',
    ...markdownTable([
      ['benchmark', '', 'ms', 'middle half', 'GFLOP/s', 'of the roofline'],
      ...timingsOf(entries).map(rowOf),
    ]),
    '',
    ...verdicts.map((text) => `- ${cell(text)}`),
    ...shown.map((text) => `- not judged: ${cell(text)}`),
    ...failed.map(({ benchmark, message }) => `- FAIL ${benchmark}: ${cell(message)}`),
    '',
    `Again: \`${command}\``,
    '',
  ].join('\n');
}

/** Lines of a table whose first row is the header. */
export function markdownTable([header, ...rows]: readonly (readonly string[])[]): string[] {
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`);
}

/** Text that stays in its cell, and is no markup. */
export const cell = (text: string) =>
  text.replace(/[\\|<>`*_[\]]/g, (mark) => `\\${mark}`).replace(/\s+/g, ' ');

function rowOf({ benchmark, name, medianMs, quartilesMs, gflops, share }: Timing): string[] {
  return [
    benchmark,
    name,
    significant(medianMs),
    quartilesMs ? quartilesMs.map(significant).join('–') : '',
    gflops ? significant(gflops) : '',
    share === undefined ? '' : `${(100 * share).toFixed(0)} %`,
  ];
}
