/** Exact accuracy at evaluations as one drawing, for documents; also beside the curves of others. */
import { UserError } from '@hrm-webgpu/core';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { parseJson } from '../../formats/json.ts';
import { isRecord } from '../../formats/record-rules.ts';
import type { RunFolder } from '../../runs/run-folder.node.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from '../figures/drawing/card.ts';
import { type Line, lines } from '../figures/drawing/lines.ts';
import type { Plotting } from '../figures/drawing/plotting.ts';
import { groupColour } from './charts.ts';
import { evaluationPoints, type Point } from './series.ts';

export interface Curve {
  label: string;
  points: Point[];
}

/**
 * A curve of another program, `LABEL=FILE`: JSON `{curve: [{step, exact_accuracy}, …]}`.
 *
 * @throws UserError for what is none
 */
export async function readCurve(option: string): Promise<Curve> {
  const [, label, file] = option.match(/^([^=]+)=(.+)$/) ?? [];
  if (file === undefined) throw new UserError(`--curve ${option}: expected LABEL=FILE`);
  const fail = (what: string) =>
    new UserError(`${file}: ${what}, expected JSON {"curve": [{"step", "exact_accuracy"}, …]}`);
  let found: unknown;
  try {
    found = parseJson(await readTextFile(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw fail((error as Error).message);
  }
  const curve = isRecord(found) ? found.curve : undefined;
  if (!Array.isArray(curve) || curve.length === 0) throw fail('holds no curve');
  const points = curve.map((entry) => {
    const { step, exact_accuracy: share } = isRecord(entry) ? entry : {};
    if (!Number.isFinite(step) || !((share as number) >= 0 && (share as number) <= 1))
      throw fail('holds a point without step or share');
    return { x: step as number, y: share as number };
  });
  return { label, points };
}

/** The curve of a run's evaluations. */
export const curveOf = (run: RunFolder): Curve => ({
  label: run.name,
  points: evaluationPoints(run, ({ exact_accuracy }) => exact_accuracy),
});

const HEIGHT = 320;
/** Room for names at the ends of lines. */
const RIGHT = 150;

/** @throws UserError where there is nothing to draw */
export function drawAccuracy({ Plot, document }: Plotting, title: string, curves: readonly Curve[]): string {
  const found = curves.filter(({ points }) => points.length > 0);
  if (found.length === 0) throw new UserError('there has been no evaluation to draw');
  const labels = [...new Set(found.map(({ label }) => label))];
  const drawn: Line[] = found.map(({ label, points }, i) => ({
    // Lines of one label have its name once.
    name: found.findIndex((other) => other.label === label) === i ? label : '',
    colour: groupColour(labels.indexOf(label)),
    points,
    dots: true,
  }));
  const svg = Plot.plot({
    ...{ document, width: INNER, height: HEIGHT },
    ...{ marginLeft: 48, marginRight: RIGHT, marginTop: 12, marginBottom: 40 },
    x: { label: 'training step', labelAnchor: 'center', labelArrow: 'none', tickSize: 0, ticks: 8 },
    y: {
      domain: [0, 1],
      label: null,
      tickSize: 0,
      ticks: 5,
      tickFormat: (share: number) => `${Math.round(100 * share)} %`,
    },
    marks: [
      Plot.gridY({ stroke: COLOURS.rule, strokeOpacity: 1, ticks: 5 }),
      ...lines({ Plot, document }, drawn, { height: 0.065 }),
    ],
  }) as Element;
  const begin = top([]);
  return drawCard({ title, notes: [], height: begin + HEIGHT + 8, panels: [{ svg, x: MARGIN, y: begin }] });
}
