/** A plot of shares that are close to each other. */
import { COLOURS } from './card.ts';
import { type Line, lines } from './lines.ts';
import type { Plotting } from './plotting.ts';

interface AccuracyPlot {
  width: number;
  height: number;
  /** Room for the names of the lines. */
  right: number;
  title?: string;
  x: { label: string; type?: 'log' | 'linear'; ticks?: number[] };
  /** A vertical line with a name. */
  mark?: { x: number; text: string };
  drawn: Line[];
}

/** From a round share beneath all that is drawn to 100 %. */
export function plotShares(plotting: Plotting, asked: AccuracyPlot): Element {
  const { Plot, document } = plotting;
  const { width, height, right, title, x, mark, drawn } = asked;
  const least = Math.min(...drawn.flatMap(({ points }) => points.map(({ y, low }) => low ?? y)));
  const gap = [0.01, 0.02, 0.05, 0.1, 0.2].find((step) => (1 - least) / step <= 6) as number;
  const bottom = Math.max(0, Math.floor(least / gap + 1e-9) * gap);
  // A little room above 100 %, so that lines along it are seen whole.
  const peak = 1 + 0.02 * (1 - bottom);
  const marginTop = title || mark ? 34 : 12;
  const ticks = Array.from({ length: Math.round((1 - bottom) / gap) + 1 }, (_, i) => bottom + i * gap);
  const span = peak - bottom || 0.01;
  return Plot.plot({
    ...{ document, width, height, marginLeft: 44, marginRight: right, marginTop, marginBottom: 40 },
    x: {
      label: x.label,
      labelAnchor: 'center',
      labelArrow: 'none',
      tickSize: 0,
      type: x.type ?? 'linear',
      ...(x.type === 'log' && { base: 2 }),
      ticks: x.ticks ?? 8,
      tickFormat: 'd',
    },
    y: {
      domain: [bottom, peak],
      label: null,
      tickSize: 0,
      ticks,
      tickFormat: (share: number) => `${Math.round(100 * share)} %`,
    },
    marks: [
      Plot.gridY(ticks, { stroke: COLOURS.rule, strokeOpacity: 1 }),
      ...(title
        ? [
            Plot.text([title], {
              frameAnchor: 'top-left',
              dy: -26,
              dx: -44,
              fill: COLOURS.ink,
              fontWeight: 600,
            }),
          ]
        : []),
      ...(mark
        ? [
            Plot.ruleX([mark.x], { stroke: COLOURS.muted, strokeDasharray: '2 3', strokeOpacity: 1 }),
            Plot.text([mark], { x: 'x', text: 'text', frameAnchor: 'top', dy: -18, fill: COLOURS.muted }),
          ]
        : []),
      ...lines(plotting, drawn, { height: (span * 15) / (height - marginTop - 40) }),
    ],
  }) as Element;
}
