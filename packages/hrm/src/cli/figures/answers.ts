import { rulesBroken, sudokuGrid, sudokuShape } from '../../data/sudoku/sudoku.ts';
import { type IntermediateAnswers, settlesAt } from '../../figures/trajectories.ts';
import { type GridKind, gridKind } from '../grids/grid-kind.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

/** `hrm figures answers` */
export const answers: Figure = {
  name: 'answers',
  summary: 'what a puzzle would be answered at each fast step, as a strip of grids',
  needsLabels: false,
  async make(context) {
    const { model, puzzles } = context;
    const { H_cycles, L_cycles } = model.config;
    const perSegment = H_cycles * L_cycles;
    const chosen = choose(await context.answers(), perSegment);
    const number = puzzles.numbers[chosen.row];
    const rows = chosen.answers.map((answer, i) => {
      return [number, Math.floor(i / perSegment) + 1, (i % perSegment) + 1, [...answer].join(' ')];
    });
    return { svg: draw(context, chosen, number), csv: csv(['example', 'segment', 'step', 'tokens'], rows) };
  },
};

/** The puzzle that changes its answer longest, among those that leave it alone in the last segment. */
function choose(found: readonly IntermediateAnswers[], perSegment: number): IntermediateAnswers {
  const settled = found.filter(({ answers }) => settlesAt(answers) < answers.length - perSegment);
  return (settled.length > 0 ? settled : found).reduce((best, one) =>
    settlesAt(one.answers) > settlesAt(best.answers) ? one : best,
  );
}

/** More fill pages. */
const MOST_GRIDS = 40;
const GAP = 22;

function draw(context: FigureContext, { input, answers: all }: IntermediateAnswers, number: number): string {
  const { plotting, model, task } = context;
  const kind = gridKind(task, model.config.seq_len);
  const perSegment = model.config.H_cycles * model.config.L_cycles;
  const settles = settlesAt(all);
  // To the end of the segment in which it settles: what follows is the same.
  const shown = all.slice(0, Math.min(MOST_GRIDS, perSegment * (Math.floor(settles / perSegment) + 1)));
  const wished = Math.min(25, Math.floor((INNER / 4 - GAP) / kind.columns));
  const cell = Math.min(Math.max(kind.colour ? 3 : 15, wished), INNER / kind.columns);
  const fitting = Math.max(1, Math.floor((INNER + GAP) / (kind.columns * cell + GAP)));
  // Rows of grids begin with segments where that can be.
  const perRow = divisors(perSegment).findLast((count) => count <= fitting) ?? 1;
  const columns = perRow === 1 ? Math.min(fitting, shown.length) : perRow;
  const [gridWidth, gridHeight] = [kind.columns * cell, kind.rows * cell];
  const notes = [
    `Example ${number}: what lm_head(H(z_H, z_L)) answers after every L step. ${legend(kind)}`,
    lastNote(settles, shown.length, all.length),
  ];
  const at = top(notes);
  const left = MARGIN + (INNER - columns * gridWidth - (columns - 1) * GAP) / 2;
  const panels = shown.map((answer, i) => ({
    svg: drawGrid(
      plotting,
      kind,
      { input, answer, before: all[i - 1] },
      {
        cell,
        title: `segment ${Math.floor(i / perSegment) + 1}, step ${(i % perSegment) + 1}`,
      },
    ),
    x: left + (i % columns) * (gridWidth + GAP) - 2,
    y: at + Math.floor(i / columns) * (gridHeight + GAP + 18),
  }));
  const height = at + Math.ceil(shown.length / columns) * (gridHeight + GAP + 18) + 6;
  return drawCard({ title: 'Intermediate answers', notes, height, panels });
}

function lastNote(settles: number, shown: number, all: number): string {
  const when =
    settles === all - 1
      ? `The answer still changes at the last of ${all} steps`
      : `Nothing changes after step ${settles + 1} of ${all}`;
  const rest = shown > settles ? `the last ${all - shown} are left out` : `the first ${shown} are shown`;
  return `${when}${shown < all ? `; ${rest}` : ''}.`;
}

const divisors = (n: number) => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

function legend({ name, colour }: GridKind): string {
  if (colour) return 'Framed: changed since the step before.';
  if (name === 'none') return 'Bold: as in the input. Shaded: changed.';
  return `Bold: given.${name === 'sudoku' ? ' Red: breaks a rule.' : ''} Shaded: changed.`;
}

interface At {
  x: number;
  y: number;
}

function drawGrid(
  { Plot, document }: FigureContext['plotting'],
  kind: GridKind,
  { input, answer, before }: { input: Int32Array; answer: Int32Array; before?: Int32Array },
  { cell, title }: { cell: number; title: string },
): Element {
  const { rows, columns, colour } = kind;
  const broken = new Set(kind.name === 'sudoku' ? rulesBroken(sudokuShape(columns), sudokuGrid(answer)) : []);
  const isGiven = (i: number) =>
    kind.name === 'sudoku' || kind.name === 'latin' ? input[i] > 1 : answer[i] === input[i];
  const cells = Array.from(answer, (token, i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)];
    const fill = colour && `rgb(${colour(token).join(',')})`;
    return {
      x,
      y,
      text: kind.text(token),
      given: isGiven(i),
      broken: broken.has(i),
      changed: before !== undefined && before[i] !== token,
      fill,
    };
  });
  const place = {
    ...{ x1: (d: At) => d.x, x2: (d: At) => d.x + 1 },
    ...{ y1: (d: At) => d.y, y2: (d: At) => d.y + 1 },
  };
  const changed = cells.filter((one) => one.changed);
  const box = kind.name === 'sudoku' ? sudokuShape(columns) : { boxRows: rows, boxColumns: columns };
  const steps = (size: number, by: number) => Array.from({ length: size / by + 1 }, (_, i) => i * by);
  const thin = { stroke: COLOURS.rule, strokeOpacity: 1 };
  const thick = { stroke: COLOURS.muted, strokeOpacity: 1, strokeWidth: 1.2 };
  return Plot.plot({
    ...{
      document,
      width: columns * cell + 4,
      height: rows * cell + 22,
      marginLeft: 2,
      marginRight: 2,
      marginTop: 20,
      marginBottom: 2,
    },
    x: { domain: [0, columns], axis: null },
    y: { domain: [rows, 0], axis: null },
    color: { type: 'identity' },
    marks: [
      Plot.text([title], { frameAnchor: 'top-left', dy: -17, dx: 1, fill: COLOURS.muted }),
      ...(colour
        ? [
            Plot.rect(cells, { ...place, fill: 'fill', shapeRendering: 'crispEdges' }),
            Plot.rect(changed, {
              ...place,
              stroke: COLOURS.red,
              strokeWidth: 1.5,
              fill: 'none',
              insetTop: 0.5,
              insetBottom: 0.5,
              insetLeft: 0.5,
              insetRight: 0.5,
            }),
          ]
        : [
            Plot.rect(changed, { ...place, fill: COLOURS.changed }),
            Plot.ruleX(steps(columns, 1), { y1: 0, y2: rows, ...thin }),
            Plot.ruleY(steps(rows, 1), { x1: 0, x2: columns, ...thin }),
            ...[true, false].map((given) =>
              Plot.text(
                cells.filter((one) => one.given === given),
                {
                  ...{ x: (d: At) => d.x + 0.5, y: (d: At) => d.y + 0.5, text: 'text' },
                  ...{ fill: (d: { broken: boolean }) => (d.broken ? COLOURS.red : COLOURS.ink) },
                  ...{ fontWeight: given ? 700 : 400, fontSize: Math.round(0.6 * cell) },
                },
              ),
            ),
          ]),
      Plot.ruleX(steps(columns, box.boxColumns), { y1: 0, y2: rows, ...thick }),
      Plot.ruleY(steps(rows, box.boxRows), { x1: 0, x2: columns, ...thick }),
    ],
  }) as Element;
}
