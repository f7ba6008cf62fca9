/** Lines that are named where they end. */
import type { Markish } from '@observablehq/plot';
import { COLOURS } from './card.ts';
import type { Plotting } from './plotting.ts';

export interface Line {
  name: string;
  colour: string;
  points: readonly { x: number; y: number; low?: number; high?: number }[];
  /** For what is not the subject: controls, what uses the labels. */
  dashed?: boolean;
  /** With a mark at every point. */
  dots?: boolean;
}

export interface LabelSpace {
  /** Height of a name, in units of y, or of its logarithm to base 10. */
  height: number;
  log?: boolean;
  /** Pixels to the right of the last point. */
  dx?: number;
}

/** Bands where points have bounds, the lines, and their names on the right, pushed apart where they would touch. */
export function lines({ Plot }: Plotting, drawn: readonly Line[], space: LabelSpace): Markish[] {
  const bands = drawn.flatMap(({ points, colour }) =>
    points.some(({ low }) => low !== undefined)
      ? [Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.14 })]
      : [],
  );
  const strokes = (which: boolean) =>
    drawn
      .filter(({ dashed = false }) => dashed === which)
      .map(({ points, colour, dashed }) =>
        Plot.line(points, {
          ...{ x: 'x', y: 'y', stroke: colour, strokeWidth: dashed ? 1.6 : 2.2 },
          ...(dashed && { strokeDasharray: '5 4' }),
        }),
      );
  const dots = drawn.flatMap(({ points, colour, dots }) =>
    dots
      ? [Plot.dot(points, { x: 'x', y: 'y', r: 3, fill: colour, stroke: COLOURS.paper, strokeWidth: 1 })]
      : [],
  );
  const ends = drawn.map(({ points }) => points[points.length - 1]);
  const heights = apart(
    ends.map(({ y }) => (space.log ? Math.log10(y) : y)),
    space.height,
  ).map((height) => (space.log ? 10 ** height : height));
  const names = drawn.map(({ name, colour }, i) =>
    Plot.text([{ x: ends[i].x, y: heights[i] }], {
      ...{ x: 'x', y: 'y', text: () => name, dx: space.dx ?? 9, textAnchor: 'start', clip: false },
      ...{ fill: colour, fontWeight: 600, stroke: COLOURS.paper, strokeWidth: 4 },
    }),
  );
  // Dashes lie on top: what is beneath them shows through.
  return [...bands, ...strokes(false), ...dots, ...strokes(true), ...names];
}

/** The values moved as little as it takes for each to be `gap` from the next, in the same order. */
export function apart(values: readonly number[], gap: number): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j] || j - i);
  // Groups of neighbours that touch stand around their mean; two groups that touch become one.
  const groups: { members: number[]; centre: number }[] = [];
  for (const i of order) {
    let group = { members: [i], centre: values[i] };
    for (let before = groups.at(-1); before; before = groups.at(-1)) {
      const reach = ((before.members.length + group.members.length) / 2) * gap;
      if (group.centre - before.centre >= reach * (1 - 1e-9)) break;
      groups.pop();
      const members = [...before.members, ...group.members];
      group = { members, centre: members.reduce((sum, at) => sum + values[at], 0) / members.length };
    }
    groups.push(group);
  }
  const moved = [...values];
  for (const { members, centre } of groups) {
    members.forEach((at, place) => {
      moved[at] = centre + (place - (members.length - 1) / 2) * gap;
    });
  }
  return moved;
}
