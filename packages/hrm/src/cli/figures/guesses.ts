import { evaluate } from '../../evaluation/evaluate.ts';
import type { GuessReport } from '../../evaluation/guess-tally.ts';
import { RULES } from '../../guesses/select.ts';
import { plotShares } from './drawing/accuracy-plot.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

/** `hrm figures guesses` */
export const guesses: Figure = {
  name: 'guesses',
  summary: 'accuracy against guesses, by each way to choose one',
  needsLabels: true,
  async make(context) {
    const { model, split, sample, batchSize, guessing, signal, progress } = context;
    const onProgress = progress('guesses');
    const { guesses: report, count } = await evaluate(model, split, {
      ...{ sample, batchSize, guessing, signal, onProgress },
    });
    return { svg: draw(context, report as GuessReport, count), csv: table(report as GuessReport) };
  },
};

function table({ by_count = [] }: GuessReport): string {
  return csv(
    ['guesses', 'auto', ...RULES.map((rule) => rule.replace('-', '_')), 'oracle'],
    by_count.map(({ count, selected, selections, oracle }) => [
      ...[count, selected, ...RULES.map((rule) => selections[rule]), oracle],
    ]),
  );
}

function draw(
  { plotting, guessing, guessesBy }: FigureContext,
  { by_count = [] }: GuessReport,
  count: number,
): string {
  const height = 340;
  const curve = (value: (one: (typeof by_count)[number]) => number) =>
    by_count.map((one) => ({ x: one.count, y: value(one) }));
  const rules = RULES.filter((rule) => rule !== 'rules' || guessing.checker);
  const colours = {
    rules: COLOURS.L,
    'halt-first': COLOURS.violet,
    'best-q': COLOURS.H,
    steady: COLOURS.red,
    vote: COLOURS.green,
  };
  const svg = plotShares(plotting, {
    ...{ width: INNER, height, right: 160 },
    x: { label: 'guesses', type: 'log', ticks: by_count.map(({ count }) => count) },
    drawn: [
      {
        name: 'any right (uses labels)',
        colour: COLOURS.muted,
        dashed: true,
        points: curve(({ oracle }) => oracle),
      },
      ...rules.map((rule) => ({
        ...{ name: rule, colour: colours[rule], dots: true },
        points: curve(({ selections }) => selections[rule]),
      })),
    ],
  });
  const notes = [
    `${count} puzzles; share answered right when one of the first so many guesses is chosen, without a look at the labels, by each rule.`,
    `Guesses differ by ${guessesBy}; the first is the puzzle as given.`,
  ];
  return drawCard({
    ...{ title: 'Accuracy against guesses', notes, height: top(notes) + height + 12 },
    panels: [{ svg, x: MARGIN, y: top(notes) }],
  });
}
