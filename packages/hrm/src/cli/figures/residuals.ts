import { measureResiduals, type Residual } from '../../figures/residuals.ts';
import { COLOURS, drawCard, INNER, MARGIN, top } from './drawing/card.ts';
import { lines } from './drawing/lines.ts';
import { csv, type Figure, type FigureContext } from './figure.ts';

/** `hrm figures residuals` */
export const residuals: Figure = {
  name: 'residuals',
  summary: 'how far each step moves z_H and z_L',
  needsLabels: false,
  async make(context) {
    const { model, puzzles, signal, progress } = context;
    const segments = model.config.halt_max_steps;
    const options = { segments, signal, onProgress: progress('residuals') };
    const found = await measureResiduals(model, puzzles.batch, options);
    return { svg: draw(context, found), csv: table(found) };
  },
};

function table(found: readonly Residual[]): string {
  return csv(
    ['module', 'step', 'segment', 'mean', 'lower_quartile', 'upper_quartile'],
    found.map((one) => [
      ...[one.level, one.step, one.segment, one.mean, one.lowerQuartile, one.upperQuartile],
    ]),
  );
}

function draw({ plotting, model, puzzles }: FigureContext, found: readonly Residual[]): string {
  const { Plot, document } = plotting;
  const { H_cycles, L_cycles, halt_max_steps } = model.config;
  const perSegment = H_cycles * L_cycles;
  const last = halt_max_steps * perSegment + 0.5;
  const height = 340;
  // A state that stands still to the last bit has no logarithm.
  const least = Math.max(1e-6, Math.min(...found.map(({ lowerQuartile }) => lowerQuartile)));
  const low = 0.8 * least;
  const high = 1.3 * Math.max(...found.map(({ upperQuartile }) => upperQuartile));
  const ticks = logTicks(low, high);
  const starts = Array.from({ length: halt_max_steps }, (_, i) => i * perSegment + 0.5);
  // The names of many segments would touch.
  const named = starts.filter((_, i) => i % Math.ceil(halt_max_steps / 8) === 0);
  const drawn = (['H', 'L'] as const).map((level) => ({
    ...{ name: `z_${level}`, colour: COLOURS[level], dots: true },
    points: found
      .filter((one) => one.level === level)
      .map(({ step, mean, lowerQuartile, upperQuartile }) => ({
        ...{ x: step, y: Math.max(mean, low) },
        ...{ low: Math.max(lowerQuartile, low), high: Math.max(upperQuartile, low) },
      })),
  }));
  const svg = Plot.plot({
    ...{ document, width: INNER, height, marginLeft: 34, marginRight: 34, marginTop: 26, marginBottom: 40 },
    x: {
      ...{ domain: [0.5, last], label: 'fast step', labelAnchor: 'center', labelArrow: 'none' },
      ...{ ticks: Math.min(16, halt_max_steps * perSegment), tickSize: 0, tickFormat: 'd' },
    },
    y: { type: 'log', domain: [low, high], label: null, tickSize: 0, ticks, tickFormat: '~g' },
    marks: [
      Plot.gridY(ticks, { stroke: COLOURS.rule, strokeOpacity: 1 }),
      Plot.ruleX(starts, { stroke: COLOURS.rule, strokeOpacity: 1 }),
      Plot.text(named, {
        ...{ x: (start: number) => start, frameAnchor: 'top', dy: -20, textAnchor: 'start' },
        ...{ text: (start: number) => `segment ${Math.floor(start / perSegment) + 1}`, fill: COLOURS.muted },
      }),
      ...lines(plotting, drawn, { height: (Math.log10(high / low) * 16) / (height - 66), log: true }),
    ],
  });
  const notes = [
    `‖zⁱ − zⁱ⁻¹‖₂ of the whole state: mean and middle half of ${puzzles.batch.rows} puzzles, on a logarithmic scale.`,
    `z_L changes at every fast step, z_H after every ${ordinal(L_cycles)}.`,
  ];
  return drawCard({
    ...{ title: 'Forward residuals: how far each step moves its state', notes },
    ...{ height: top(notes) + height + 12, panels: [{ svg, x: MARGIN, y: top(notes) }] },
  });
}

/** Powers of ten, and 2 and 5 times them where there are hardly any. */
function logTicks(low: number, high: number): number[] {
  const factors = Math.log10(high / low) < 1.5 ? [1, 2, 5] : [1];
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
  return powers
    .flatMap((power) => factors.map((factor) => factor * power))
    .filter((tick) => tick >= low && tick <= high);
}

/** `2nd`, `3rd`; every step is the `1st`. */
function ordinal(n: number): string {
  const endings: Record<number, string> = { 1: 'st', 2: 'nd', 3: 'rd' };
  return `${n}${n % 100 > 10 && n % 100 < 14 ? 'th' : (endings[n % 10] ?? 'th')}`;
}
