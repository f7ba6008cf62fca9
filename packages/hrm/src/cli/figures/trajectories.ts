import { cellAccuracy, rowsOf } from '../../figures/puzzles.ts';
import {
  type IntermediateAnswers,
  measureTrajectories,
  type SegmentOfPuzzle,
  settlesAt,
  type Trajectory,
} from '../../figures/trajectories.ts';
import type { ModelConfig } from '../../model/config.ts';
import { COLOURS, drawCard, INNER, MARGIN, ramp, top } from './drawing/card.ts';
import type { Plotting } from './drawing/plotting.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

interface Shown {
  /** The number of the example in its split. */
  number: number;
  why: string;
  trajectory: Trajectory;
}

/** `hrm figures trajectories` */
export const trajectories: Figure = {
  name: 'trajectories',
  summary: 'the ways of single puzzles in two principal components, with q and cell accuracy',
  needsLabels: true,
  async make(context) {
    const { model, puzzles, signal, progress } = context;
    const chosen = choose(await context.answers(), context);
    const shown: Shown[] = [];
    const segments = 2 * model.config.halt_max_steps;
    const bar = progress('trajectories');
    for (const [i, { row, why }] of chosen.entries()) {
      const onProgress = (done: number) => bar(i * segments + done, chosen.length * segments);
      const one = rowsOf(puzzles.batch, row, row + 1);
      const [trajectory] = await measureTrajectories(model, one, { segments, signal, onProgress });
      shown.push({ number: puzzles.numbers[row], why, trajectory });
    }
    return { svg: draw(context, shown), csv: table(shown, context) };
  },
};

/** The puzzle that settles first, the one that settles last, and one that ends wrong, or else in the middle. */
function choose(answers: readonly IntermediateAnswers[], { puzzles }: FigureContext) {
  const order = answers
    .map(({ row, answers: list }) => {
      const { labels } = rowsOf(puzzles.batch, row, row + 1);
      return { row, settles: settlesAt(list), right: cellAccuracy(labels, list[list.length - 1]) === 1 };
    })
    .sort((a, b) => a.settles - b.settles || a.row - b.row);
  const right = order.filter((one) => one.right);
  const chosen = new Map<number, string>();
  const take = (one: (typeof order)[number] | undefined, why: string) => {
    if (one && !chosen.has(one.row)) chosen.set(one.row, why);
  };
  take(right[0], 'right soonest');
  take(
    right.find(({ settles }) => settles === right[right.length - 1].settles),
    'right at last',
  );
  take(
    order.find((one) => !one.right),
    'wrong in the end',
  );
  take(order[Math.floor(order.length / 2)], 'in between');
  return [...chosen].slice(0, 3).map(([row, why]) => ({ row, why }));
}

function table(shown: readonly Shown[], { model }: FigureContext): string {
  const { H_cycles, L_cycles } = model.config;
  return csv(
    ['example', 'module', 'step', 'segment', 'pc1', 'pc2', 'q_halt', 'q_continue', 'cell_accuracy'],
    shown.flatMap(({ number, trajectory }) =>
      (['H', 'L'] as const).flatMap((level) => {
        const perSegment = level === 'H' ? H_cycles : H_cycles * L_cycles;
        return trajectory[level].coordinates.map(([x, y], i) => {
          const segment = Math.floor(i / perSegment);
          const { qHalt, qContinue, accuracy } = trajectory.segments[segment];
          // What is known of a segment stands at its last step.
          const end = (i + 1) % perSegment === 0 ? [qHalt, qContinue, accuracy] : ['', '', ''];
          return [number, level, i + 1, segment + 1, x, y, ...end];
        });
      }),
    ),
  );
}

const GAP = 22;
const PANEL = (INNER - 2 * GAP) / 3;
/** Of the frame around a path. */
const SIDE = 190;
const BELOW = 150;

function draw({ plotting, model }: FigureContext, shown: readonly Shown[]): string {
  const { config } = model;
  const segments = shown[0].trajectory.segments.length;
  const notes = [
    'Each in the first two principal components of its own states, from faint (first segment) to strong (last). Rings end',
    `segments; the large dot is the end of segment ${config.halt_max_steps}, the last of training. Below: after each segment.`,
  ];
  const at = top(notes);
  const panels = shown.flatMap((one, column) => {
    const x = MARGIN + column * (PANEL + GAP);
    return [
      { svg: drawPath(plotting, config, one, 'H'), x, y: at },
      { svg: drawPath(plotting, config, one, 'L'), x, y: at + SIDE + 44 },
      { svg: drawProgress(plotting, one.trajectory), x, y: at + 2 * SIDE + 76 },
    ];
  });
  const height = at + 2 * SIDE + BELOW + 88;
  return drawCard({ title: 'Where single puzzles go', notes, height, panels, ramp: segments });
}

function drawPath(
  { Plot, document }: Plotting,
  { H_cycles, L_cycles, halt_max_steps }: ModelConfig,
  { number, why, trajectory }: Shown,
  level: 'H' | 'L',
): Element {
  const { coordinates, explained } = trajectory[level];
  const perSegment = level === 'H' ? H_cycles : H_cycles * L_cycles;
  const colours = ramp(trajectory.segments.length);
  const points = coordinates.map(([x, y], i) => ({ x, y, colour: colours[Math.floor(i / perSegment)] }));
  const links = points.slice(1).map((to, i) => {
    return { x1: points[i].x, y1: points[i].y, x2: to.x, y2: to.y, colour: to.colour };
  });
  const ends = points.filter((_, i) => (i + 1) % perSegment === 0);
  const percent = explained.map((share) => `${Math.round(100 * share)} %`).join(' + ');
  const marginTop = level === 'H' ? 38 : 20;
  const name = `example ${number}: ${why}`;
  return Plot.plot({
    ...{ document, width: PANEL, height: SIDE + marginTop },
    ...{ marginTop, marginLeft: 1, marginRight: 1, marginBottom: 1 },
    x: { axis: null, domain: span(points.map(({ x }) => x)) },
    y: { axis: null, domain: span(points.map(({ y }) => y)) },
    color: { type: 'identity' },
    marks: [
      Plot.frame({ stroke: COLOURS.rule, strokeOpacity: 1, rx: 4 }),
      ...(level === 'H' ? [heading(Plot, name, { dy: -36, fill: COLOURS.ink })] : []),
      heading(Plot, `z_${level}`, { dy: -17, fill: COLOURS[level] }),
      Plot.text([`${percent} of the variance`], { frameAnchor: 'top-right', dy: -17, fill: COLOURS.muted }),
      Plot.link(links, { x1: 'x1', y1: 'y1', x2: 'x2', y2: 'y2', stroke: 'colour', strokeWidth: 1.8 }),
      Plot.dot(ends, { x: 'x', y: 'y', r: 3.5, fill: COLOURS.paper, stroke: 'colour', strokeWidth: 1.8 }),
      Plot.dot(ends.slice(halt_max_steps - 1, halt_max_steps), {
        ...{ x: 'x', y: 'y', r: 5, fill: COLOURS[level], stroke: COLOURS.paper },
      }),
    ],
  }) as Element;
}

/** From the least to the largest, with room around them. */
function span(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.1 * (high - low) || 1;
  return [low - room, high + room];
}

const heading = (Plot: Plotting['Plot'], text: string, options: { dx?: number; dy: number; fill: string }) =>
  Plot.text([text], { frameAnchor: 'top-left', fontWeight: 600, ...options });

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function drawProgress({ Plot, document }: Plotting, { segments }: Trajectory): Element {
  // All three may run along 100 %: the widest lies below, and names stand above instead of where the lines end.
  const curves = [
    {
      name: 'σ(q_continue)',
      at: 148,
      colour: COLOURS.muted,
      width: 5,
      value: (one: SegmentOfPuzzle) => sigmoid(one.qContinue),
    },
    {
      name: 'cells right',
      at: 0,
      colour: COLOURS.green,
      width: 2.6,
      value: (one: SegmentOfPuzzle) => one.accuracy,
    },
    {
      name: 'σ(q_halt)',
      at: 78,
      colour: COLOURS.violet,
      width: 1.4,
      value: (one: SegmentOfPuzzle) => sigmoid(one.qHalt),
    },
  ];
  return Plot.plot({
    ...{
      document,
      width: PANEL,
      height: BELOW,
      marginLeft: 44,
      marginRight: 8,
      marginTop: 24,
      marginBottom: 36,
    },
    x: {
      ...{ domain: [1, segments.length], label: 'segment', labelAnchor: 'center', labelArrow: 'none' },
      ...{ tickSize: 0, ticks: Math.min(8, segments.length), tickFormat: 'd' },
    },
    y: {
      ...{ domain: [0, 1], label: null, tickSize: 0, ticks: 2 },
      tickFormat: (share) => `${100 * share} %`,
    },
    marks: [
      Plot.gridY({ stroke: COLOURS.rule, strokeOpacity: 1, ticks: 2 }),
      ...curves.flatMap(({ name, at, colour, width, value }) => {
        const points = segments.map((one) => [one.segment, value(one)]);
        return [
          Plot.line(points, { stroke: colour, strokeWidth: width, strokeOpacity: width > 4 ? 0.45 : 1 }),
          Plot.dot(points, { r: width + 0.6, fill: colour, fillOpacity: width > 4 ? 0 : 1 }),
          heading(Plot, name, { dx: at - 44, dy: -22, fill: colour }),
        ];
      }),
    ],
  }) as Element;
}
