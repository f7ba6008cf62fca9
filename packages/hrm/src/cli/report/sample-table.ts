/** Examples as they were answered over a run. */
import type { Samples } from '../../runs/samples.ts';
import { gridKind } from '../grids/grid-kind.ts';
import { gridSvg } from '../grids/grid-svg.ts';

/** Columns of answers, the first and the last among them. */
const MOST_ANSWERS = 5;

export function sampleTable({ task, inputs, labels, over }: Samples): string {
  const kind = gridKind(task, inputs[0].length);
  const chosen = spread(over, MOST_ANSWERS);
  const head = ['puzzle', ...chosen.map(({ step }) => `step ${step}`), 'solution'];
  const rows = inputs.map((input, i) => [
    gridSvg(kind, input),
    ...chosen.map(({ answers }) => gridSvg(kind, answers[i], input, labels[i])),
    // Where no label counts there is nothing to draw but the puzzle itself.
    gridSvg(
      kind,
      labels[i].map((token, cell) => (token < 0 ? input[cell] : token)),
      input,
    ),
  ]);
  const line = (cells: string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table class="samples">${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('\n')}</table></div>`;
}

/** So many of a list, evenly from its first to its last. */
function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => list[Math.round((i * (list.length - 1)) / (most - 1))]);
}
