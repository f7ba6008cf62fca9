import type { Evaluation, SegmentScore } from '../../evaluation/evaluate.ts';
import { plotShares } from './drawing/accuracy-plot.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

/** `hrm figures segments` */
export const segments: Figure = {
  name: 'segments',
  summary: 'accuracy against segments, more of them than in training',
  needsLabels: true,
  async make(context) {
    const found = await context.fixed();
    return { svg: draw(context, found), csv: table(found.per_segment ?? []) };
  },
};

function table(scores: readonly SegmentScore[]): string {
  return csv(
    ['segment', 'exact_accuracy', 'low', 'high', 'cell_accuracy'],
    scores.map((one) => [one.segment, one.exact_accuracy, ...one.exact_accuracy_interval, one.accuracy]),
  );
}

function draw({ plotting, model }: FigureContext, { count, per_segment = [] }: Evaluation): string {
  const height = 320;
  const trained = model.config.halt_max_steps;
  const svg = plotShares(plotting, {
    ...{ width: INNER, height, right: 96, x: { label: 'segments' } },
    mark: { x: trained, text: `trained with ${trained}` },
    drawn: [
      {
        ...{ name: 'cells right', colour: COLOURS.green },
        points: per_segment.map(({ segment, accuracy }) => ({ x: segment, y: accuracy })),
      },
      {
        ...{ name: 'all right', colour: COLOURS.L, dots: true },
        points: per_segment.map(({ segment, exact_accuracy, exact_accuracy_interval: [low, high] }) => ({
          ...{ x: segment, y: exact_accuracy, low, high },
        })),
      },
    ],
  });
  const notes = [`${count} puzzles, all of them for so many segments; the band is the 95 % interval.`];
  return drawCard({
    ...{ title: 'Accuracy against segments', notes, height: top(notes) + height + 12 },
    panels: [{ svg, x: MARGIN, y: top(notes) }],
  });
}
