import type { SegmentScore } from '../../evaluation/evaluate.ts';
import { type Halting, measureHalting } from '../../figures/halting.ts';
import { plotShares } from './drawing/accuracy-plot.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import { lines } from './drawing/lines.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

interface Found {
  act: Halting[];
  fixed: SegmentScore[];
}

/** `hrm figures halting` */
export const halting: Figure = {
  name: 'halting',
  summary: 'segments and accuracy with ACT, against a fixed number of segments',
  needsLabels: true,
  async make(context) {
    const { model, split, sample, batchSize, maxSteps, signal, progress } = context;
    const { count, per_segment = [] } = await context.fixed();
    const onProgress = progress('halting');
    // Rows that halt make room for others: in a batch of all of them the slowest would keep every place.
    const rows = Math.ceil(batchSize / 4);
    const options = { sample, batchSize: rows, maxSteps, signal, onProgress };
    const act = await measureHalting(model, split, options);
    const found = { act, fixed: per_segment };
    return { svg: draw(context, found, count), csv: table(found) };
  },
};

function table({ act, fixed }: Found): string {
  return csv(
    [
      'limit',
      'segments_act',
      'exact_act',
      'low_act',
      'high_act',
      'segments_fixed',
      'exact_fixed',
      'low_fixed',
      'high_fixed',
    ],
    act.map((one, i) => [
      ...[one.limit, one.segments, one.exact_accuracy, ...one.exact_accuracy_interval],
      ...[one.limit, fixed[i].exact_accuracy, ...fixed[i].exact_accuracy_interval],
    ]),
  );
}

function draw({ plotting, model }: FigureContext, { act, fixed }: Found, count: number): string {
  const { Plot, document } = plotting;
  const [width, height] = [INNER / 2 - 10, 310];
  const most = act.length;
  const cost = Plot.plot({
    ...{ document, width, height, marginLeft: 30, marginRight: 56, marginTop: 34, marginBottom: 40 },
    x: { label: 'M', labelAnchor: 'center', labelArrow: 'none', tickSize: 0, ticks: 8, tickFormat: 'd' },
    y: { domain: [0, most], label: null, tickSize: 0, ticks: 5, tickFormat: 'd' },
    marks: [
      Plot.gridY({ stroke: COLOURS.rule, strokeOpacity: 1, ticks: 5 }),
      Plot.text(['mean segments of a puzzle'], {
        frameAnchor: 'top-left',
        dy: -26,
        dx: -30,
        fill: COLOURS.ink,
        fontWeight: 600,
      }),
      ...lines(
        plotting,
        [
          {
            name: 'fixed',
            colour: COLOURS.ink,
            dashed: true,
            points: act.map(({ limit }) => ({ x: limit, y: limit })),
          },
          {
            name: 'ACT',
            colour: COLOURS.violet,
            dots: true,
            points: act.map(({ limit, segments }) => ({ x: limit, y: segments })),
          },
        ],
        { height: (most * 15) / (height - 74) },
      ),
    ],
  }) as Element;
  const exact = (
    one: { exact_accuracy: number; exact_accuracy_interval: readonly [number, number] },
    x: number,
  ) => ({
    ...{
      x,
      y: one.exact_accuracy,
      low: one.exact_accuracy_interval[0],
      high: one.exact_accuracy_interval[1],
    },
  });
  const gain = plotShares(plotting, {
    ...{ width, height, right: 56, title: 'all right', x: { label: 'M' } },
    drawn: [
      {
        name: 'fixed',
        colour: COLOURS.ink,
        dashed: true,
        points: fixed.map((one) => ({ x: one.segment, y: one.exact_accuracy })),
      },
      { name: 'ACT', colour: COLOURS.violet, dots: true, points: act.map((one) => exact(one, one.limit)) },
    ],
  });
  const trained = model.config.halt_max_steps;
  const at = act[Math.min(trained, most) - 1];
  const notes = [
    `${count} puzzles. With ACT each halts as soon as q_halt > q_continue, after M segments at most. Trained with M = ${trained}:`,
    `there ACT takes ${at.segments.toFixed(2)} segments in the mean. The band is its 95 % interval.`,
  ];
  const y = top(notes);
  return drawCard({
    ...{ title: 'Halting: ACT against a fixed number of segments', notes, height: y + height + 12 },
    panels: [
      { svg: cost, x: MARGIN, y },
      { svg: gain, x: MARGIN + width + 20, y },
    ],
  });
}
