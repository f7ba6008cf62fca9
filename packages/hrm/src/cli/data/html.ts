/** Examples of a dataset as one HTML page that needs nothing else. */
import type { GridKind } from '../grids/grid-kind.ts';
import { GRID_STYLE, gridSvg } from '../grids/grid-svg.ts';
import { escaped, htmlPage } from '../html-page.ts';

export interface ShownExample {
  title: string;
  kind: GridKind;
  input: ArrayLike<number>;
  label: ArrayLike<number>;
}

const STYLE = `
  body { font: 15px system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
  figure { display: inline-block; margin: 0 2rem 2rem 0; }
  figcaption { margin-bottom: .4rem; color: #666; }
${GRID_STYLE}`;

/** @param summary lines of text to begin with */
export function datasetPage(title: string, summary: string[], examples: ShownExample[]): string {
  const figures = examples.map(
    ({ title, kind, input, label }) =>
      `<figure><figcaption>${escaped(title)}</figcaption>${gridSvg(kind, input)}${gridSvg(kind, label, input)}</figure>`,
  );
  return htmlPage(
    title,
    [STYLE],
    `<h1>${escaped(title)}</h1>\n<pre>${escaped(summary.join('\n'))}</pre>\n${figures.join('\n')}`,
  );
}
