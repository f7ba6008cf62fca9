import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { RUN_FILES } from '../../checkpoints/model-file.node.ts';
import { writeFileAtomic } from '../../formats/files/atomic-write.node.ts';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { readRunFolder } from '../../runs/run-folder.node.ts';
import { parseSamples } from '../../runs/samples.ts';
import { type Command, parse } from '../command.ts';
import { loadPlotting } from '../figures/drawing/plotting.ts';
import { print } from '../terminal.ts';
import { type Curve, curveOf, drawAccuracy, readCurve } from './accuracy.ts';
import { drawCurves } from './charts.ts';
import { grouped } from './groups.ts';
import { type Reported, reportPage } from './page.ts';

export const report: Command = {
  summary: 'write a page about runs: curves, answers over time, settings, where they were made',
  help: `usage: hrm report RUN… [--out FILE]
       hrm report RUN… --svg FILE [--title TEXT] [--curve LABEL=FILE]…

Writes one HTML file that needs nothing else: no script, no network. Curves of losses, accuracies, segments, rates and speed against
the steps; examples as they were answered at evaluations; settings; every session with its machine. Several runs are laid over each
other; runs that differ in their seed alone are drawn as a band. Works while a run goes on. No GPU is needed.

  --out FILE   default report.html in the run's folder; with several runs it must be given
  --svg FILE   instead of the page, exact accuracy at evaluations as a drawing for documents
  --title TEXT of the drawing
  --curve LABEL=FILE   in the drawing also the curve of another program, JSON {"curve": [{"step", "exact_accuracy"}, …]}; curves of the same
               label have one colour`,

  async run(args) {
    const { values, positionals } = parse(args, {
      out: { type: 'string' },
      svg: { type: 'string' },
      title: { type: 'string' },
      curve: { type: 'string', multiple: true, default: [] },
    });
    if (positionals.length === 0) throw new UserError('expected a run, or several. See --help.');
    if (values.svg) return writeDrawing(positionals, { ...values, svg: values.svg });
    if (values.title || values.curve.length > 0)
      throw new UserError('--title and --curve go with --svg FILE');
    if (positionals.length > 1 && !values.out)
      throw new UserError('several runs: name the file with --out FILE');
    const reported: Reported[] = [];
    for (const path of positionals) {
      const run = await readRunFolder(path);
      const file = join(path, RUN_FILES.samples);
      const samples = existsSync(file) ? parseSamples(await readTextFile(file)) : undefined;
      reported.push({ run, ...(samples && { samples }) });
    }
    const groups = grouped(reported.map(({ run }) => run));
    const page = reportPage(groups, reported, drawCurves(await loadPlotting(), groups));
    const out = values.out ?? join(positionals[0], 'report.html');
    await writeFileAtomic(out, [new TextEncoder().encode(page)]);
    print(`wrote ${out}`);
    return 0;
  },
};

async function writeDrawing(
  paths: readonly string[],
  { svg, title = 'exact accuracy by training step', curve }: { svg: string; title?: string; curve: string[] },
): Promise<number> {
  const curves: Curve[] = [];
  for (const option of curve) curves.push(await readCurve(option));
  for (const path of paths) curves.push(curveOf(await readRunFolder(path)));
  const drawn = drawAccuracy(await loadPlotting(), title, curves);
  await writeFileAtomic(svg, [new TextEncoder().encode(drawn)]);
  print(`wrote ${svg}`);
  return 0;
}
