import { evaluate } from '../../evaluation/evaluate.ts';
import type { GuessReport } from '../../evaluation/guess-tally.ts';
import { RULES, type Rule } from '../../guesses/select.ts';
import { plotShares } from './drawing/accuracy-plot.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import type { Line } from './drawing/lines.ts';
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

const RULE_COLOURS: Record<Rule, string> = {
  rules: COLOURS.L,
  'halt-first': COLOURS.violet,
  'best-q': COLOURS.H,
  steady: COLOURS.red,
  vote: COLOURS.green,
};

/** Lines that run along each other from end to end as one, with all their names. */
function together(drawn: readonly Line[]): Line[] {
  const merged = new Map<string, Line>();
  for (const line of drawn) {
    const path = JSON.stringify(line.points);
    const same = merged.get(path);
    merged.set(path, same ? { ...same, name: `${same.name}, ${line.name}` } : line);
  }
  return [...merged.values()];
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
  const svg = plotShares(plotting, {
    ...{ width: INNER, height, right: 216 },
    x: { label: 'guesses', type: 'log', ticks: by_count.map(({ count }) => count) },
    drawn: [
      {
        name: 'any right (uses labels)',
        colour: COLOURS.ink,
        dashed: true,
        points: curve(({ oracle }) => oracle),
      },
      ...together(
        rules.map((rule) => ({
          ...{ name: rule, colour: RULE_COLOURS[rule], dots: true },
          points: curve(({ selections }) => selections[rule]),
        })),
      ),
    ],
  });
  const notes = [
    `${count} puzzles: share answered right by the guess that each rule chooses, without a look at the labels.`,
    `Guesses differ by ${guessesBy}; the first is the puzzle as given.`,
  ];
  return drawCard({
    ...{ title: 'Accuracy against guesses', notes, height: top(notes) + height + 12 },
    panels: [{ svg, x: MARGIN, y: top(notes) }],
  });
}
