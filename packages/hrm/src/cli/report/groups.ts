/** Runs that differ in their seed alone are one thing, drawn as a band. */
import { LENGTH_KEY } from '../../model/parse-config.ts';
import type { RunFolder } from '../../runs/run-folder.node.ts';
import type { Point } from './series.ts';

export interface Group {
  name: string;
  runs: RunFolder[];
}

/** Settings without what may differ within a group. */
function identity({ settings }: RunFolder): string {
  const others = [...settings].filter(([key]) => key !== 'seed' && key !== LENGTH_KEY);
  return JSON.stringify(others.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function grouped(runs: readonly RunFolder[]): Group[] {
  const groups = new Map<string, RunFolder[]>();
  for (const run of runs) {
    const key = identity(run);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].map((members) => ({ name: nameOf(members), runs: members }));
}

const nameOf = (runs: readonly RunFolder[]) =>
  runs.length === 1 ? runs[0].name : `${runs[0].name} and ${runs.length - 1} more seeds`;

/** The mean of lines where all of them have points, with the least and the greatest; of one line the line. */
export function band(lines: readonly Point[][]): (Point & { low?: number; high?: number })[] {
  const [first, ...others] = lines.filter((line) => line.length > 0);
  if (!first) return [];
  if (others.length === 0) return first;
  const maps = others.map((line) => new Map(line.map(({ x, y }) => [x, y])));
  return first.flatMap(({ x, y }) => {
    const values = [y, ...maps.map((map) => map.get(x))];
    if (values.some((value) => value === undefined)) return [];
    const all = values as number[];
    return [
      {
        x,
        y: all.reduce((sum, value) => sum + value, 0) / all.length,
        low: Math.min(...all),
        high: Math.max(...all),
      },
    ];
  });
}
