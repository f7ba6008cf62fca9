/** Runs as a table. */

import type { RunFolder } from '../../runs/run-folder.node.ts';
import type { EvaluationLine } from '../../runs/run-lines.ts';
import { table } from '../table.ts';
import { byteSize, percent } from '../terminal.ts';

const exactOf = (line: EvaluationLine | undefined) =>
  line?.figures.exact_accuracy === undefined ? '–' : percent(line.figures.exact_accuracy);

/** `3 min`, `5 h`, `12 days` ago. */
export function ago(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${Math.floor(minutes)} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 1440)} days`;
}

export function listed(runs: readonly RunFolder[], now = Date.now()): string[] {
  const rows = runs.map((run) => [
    run.name,
    run.state,
    run.totalSteps === undefined ? `${run.step}` : `${run.step}/${run.totalSteps}`,
    exactOf(run.best),
    exactOf(run.evaluations.at(-1)),
    byteSize(run.bytes),
    ago(now - run.changed),
  ]);
  return table(['run', 'state', 'steps', 'best', 'last', 'size', 'age'], rows);
}

export function listedAsJson({
  path,
  state,
  step,
  totalSteps,
  best,
  evaluations,
  bytes,
  changed,
}: RunFolder) {
  const figures = (line: EvaluationLine | undefined) =>
    line && { step: line.step, split: line.split, ...line.figures };
  return {
    ...{ path, state, step, total_steps: totalSteps ?? null, best: figures(best) ?? null },
    ...{ last: figures(evaluations.at(-1)) ?? null, bytes, changed: new Date(changed).toISOString() },
  };
}
