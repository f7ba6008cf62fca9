/** The curves of runs, as one drawing of small plots. */
import { COLOURS, drawCard, INNER, MARGIN, type Panel, top } from '../figures/drawing/card.ts';
import { type Line, lines } from '../figures/drawing/lines.ts';
import type { Plotting } from '../figures/drawing/plotting.ts';
import { band, type Group } from './groups.ts';
import { evaluationPoints, MEASURES, type Measure, speedPoints, trainPoints } from './series.ts';

/** In the order of the groups; more of them share. */
const GROUP_COLOURS = [COLOURS.L, COLOURS.H, COLOURS.green, COLOURS.violet, COLOURS.red];

const COLUMNS = 2;
const PLOT = { width: INNER / COLUMNS - 12, height: 210 };

interface Plotted {
  title: string;
  isShare?: boolean;
  drawn: Line[];
}

/** The SVG document; undefined where there is nothing to draw. */
export function drawCurves(plotting: Plotting, groups: readonly Group[]): string | undefined {
  const plots = [
    ...MEASURES.map((measure) => plotOf(measure, groups)),
    { title: 'steps a second', drawn: groups.flatMap((group, i) => lineOf(group, i, speedPoints, false)) },
  ].filter(({ drawn }) => drawn.length > 0);
  if (plots.length === 0) return undefined;
  const notes = [
    'Against the steps made. Lines: training, each point the mean of a stretch of steps. With marks: evaluations.',
    ...(groups.some(({ runs }) => runs.length > 1)
      ? ['Bands: from the least to the greatest of several seeds.']
      : []),
  ];
  const begin = top(notes);
  const panels: Panel[] = plots.map((plot, i) => ({
    svg: draw(plotting, plot),
    x: MARGIN + (i % COLUMNS) * (PLOT.width + 24),
    y: begin + Math.floor(i / COLUMNS) * (PLOT.height + 18),
  }));
  const height = begin + Math.ceil(plots.length / COLUMNS) * (PLOT.height + 18) + 10;
  return drawCard({ title: 'Curves', notes, height, panels });
}

function plotOf(
  { title, isShare, isOfHalted, train, evaluation }: Measure,
  groups: readonly Group[],
): Plotted {
  const drawn = groups.flatMap((group, i) => [
    ...(train ? lineOf(group, i, (run) => trainPoints(run, train, isOfHalted), false) : []),
    ...(evaluation ? lineOf(group, i, (run) => evaluationPoints(run, evaluation), true) : []),
  ]);
  return { title, isShare, drawn };
}

function lineOf(
  { name, runs }: Group,
  index: number,
  points: (run: Group['runs'][number]) => Line['points'][number][],
  dots: boolean,
): Line[] {
  const merged = band(runs.map(points));
  const colour = groupColour(index);
  return merged.length === 0 ? [] : [{ name: dots ? name : '', colour, points: merged, dots }];
}

function draw({ Plot, document }: Plotting, { title, isShare, drawn }: Plotted): Element {
  const { width, height } = PLOT;
  const values = drawn.flatMap(({ points }) => points.flatMap(({ y, low = y, high = y }) => [low, high]));
  const greatest = values.reduce((most, value) => Math.max(most, value), 0);
  const peak = isShare ? 1.02 : greatest * 1.06 || 1;
  // Names stand in the legend: plots this small have no room for them at the ends of lines.
  const unnamed = drawn.map((line) => ({ ...line, name: '' }));
  return Plot.plot({
    ...{ document, width, height, marginLeft: 52, marginRight: 10, marginTop: 34, marginBottom: 30 },
    x: { label: null, tickSize: 0, ticks: 5 },
    y: {
      domain: [0, peak],
      label: null,
      tickSize: 0,
      ticks: 5,
      tickFormat: isShare
        ? (share: number) => `${Math.round(100 * share)} %`
        : (value: number) => short(value),
    },
    marks: [
      Plot.gridY({ stroke: COLOURS.rule, strokeOpacity: 1, ticks: 5 }),
      Plot.text([title], { frameAnchor: 'top-left', dy: -26, dx: -52, fill: COLOURS.ink, fontWeight: 600 }),
      ...lines({ Plot, document }, unnamed, { height: peak / 10 }),
    ],
  }) as Element;
}

/** Numbers of any size in few characters. */
function short(value: number): string {
  if (value === 0) return '0';
  return value >= 0.01 && value < 10_000 ? String(Number(value.toPrecision(3))) : value.toExponential(0);
}

/** Which colour is which. */
export const groupColour = (index: number) => GROUP_COLOURS[index % GROUP_COLOURS.length];
