import { measureParticipation, type Participation, type RowChoice } from '../../figures/participation.ts';
import { rowsOf } from '../../figures/puzzles.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import { lines } from './drawing/lines.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

type Found = Record<'trained' | 'untrained', Participation[]>;

/** `hrm figures participation` */
export const participation: Figure = {
  name: 'participation',
  summary: 'in how many dimensions z_H and z_L live, beside an untrained model',
  needsLabels: false,
  async make(context) {
    const { model, control, puzzles, signal, progress } = context;
    const segments = model.config.halt_max_steps;
    const measure = (label: string) => ({ segments, signal, onProgress: progress(label) });
    const trained = await measureParticipation(model, puzzles.batch, measure('participation'));
    const whole = rowsOf(puzzles.batch, 0, puzzles.batch.rows);
    // The control has no puzzle rows but the first: untrained ones are all zero.
    const unnamed = { ...whole, puzzleIdentifiers: new Int32Array(whole.rows) };
    const untrained = await measureParticipation(await control(), unnamed, measure('  untrained'));
    const found = { trained, untrained };
    return { svg: draw(context, found), csv: table(found) };
  },
};

function table(found: Found): string {
  return csv(
    ['model', 'rows', 'puzzles', 'count', 'z_H', 'z_L', 'ratio'],
    Object.entries(found).flatMap(([model, list]) =>
      list.map(({ rows, puzzles, count, H, L }) => [model, rows, puzzles, count, H, L, H / L]),
    ),
  );
}

const TITLES: Record<RowChoice, string> = {
  positions: 'rows: every position after each H step',
  grids: 'rows: the whole state after each segment',
};

function draw({ plotting, model }: FigureContext, found: Found): string {
  const { Plot, document } = plotting;
  const height = 300;
  const width = INNER / 2 - 8;
  const choices = ['positions', 'grids'] as const;
  const panels = choices.map((rows, i) => {
    const of = (which: keyof Found, level: 'H' | 'L') =>
      found[which].filter((one) => one.rows === rows).map((one) => ({ x: one.puzzles, y: one[level] }));
    const drawn = (['H', 'L'] as const).flatMap((level) =>
      (['trained', 'untrained'] as const).map((which) => ({
        name: which === 'trained' ? `z_${level}` : `z_${level} untrained`,
        colour: COLOURS[level],
        dashed: which === 'untrained',
        points: of(which, level),
      })),
    );
    const most = 1.08 * Math.max(...drawn.flatMap(({ points }) => points.map(({ y }) => y)));
    const svg = Plot.plot({
      ...{ document, width, height, marginLeft: 34, marginRight: 104, marginTop: 34, marginBottom: 40 },
      x: {
        label: 'puzzles',
        labelAnchor: 'center',
        labelArrow: 'none',
        tickSize: 0,
        ticks: 5,
        tickFormat: 'd',
      },
      y: { domain: [0, most], label: null, tickSize: 0, ticks: 5 },
      marks: [
        Plot.gridY({ stroke: COLOURS.rule, strokeOpacity: 1, ticks: 5 }),
        Plot.text([TITLES[rows]], {
          frameAnchor: 'top-left',
          dy: -26,
          dx: -34,
          fill: COLOURS.ink,
          fontWeight: 600,
        }),
        ...lines(
          plotting,
          drawn.map((line) => ({ ...line, dots: !line.dashed })),
          { height: (most * 15) / (height - 74) },
        ),
      ],
    });
    return { svg, x: MARGIN + i * (width + 16), y: 0 };
  });
  const last = (which: keyof Found, rows: RowChoice) =>
    found[which].findLast((one) => one.rows === rows) as Participation;
  const ratio = (which: keyof Found, rows: RowChoice) =>
    (last(which, rows).H / last(which, rows).L).toFixed(2);
  const of = (rows: RowChoice) => `${ratio('trained', rows)} (untrained ${ratio('untrained', rows)})`;
  const notes = [
    `(Σλ)²/Σλ² over the eigenvalues of the states' covariance; a position has ${model.config.hidden_size} numbers. Dashed: the same shape, untrained.`,
    `PR(z_H)/PR(z_L) by positions ${of('positions')}, by whole states ${of('grids')}.`,
  ];
  const at = top(notes);
  return drawCard({
    title: 'Participation ratio: how many dimensions the states fill',
    notes,
    height: at + height + 12,
    panels: panels.map((panel) => ({ ...panel, y: at })),
  });
}
