/** The numbers behind the lines, to be read and copied. */
import { FigureTable } from '../charts/figure-table.tsx';
import { type ResidualLines, shown } from './lines.ts';
import type { Look } from './measure.ts';

export function ResidualNumbers({ residuals: { x, H, L } }: { residuals: ResidualLines }) {
  return (
    <NumberTable
      caption="Residuals"
      head={['fast step', 'z_H', 'z_L']}
      rows={x.map((step, i) => [step, H[i], L[i]])}
    />
  );
}

export function ParticipationNumbers({ look: { participation } }: { look: Look }) {
  return (
    <NumberTable
      caption="Participation ratios"
      head={['segment', 'rows', 'PR(z_H)', 'PR(z_L)']}
      rows={participation.map(({ segment, rows, H, L }) => [segment, rows, H, L])}
    />
  );
}

interface NumberTableProps {
  caption: string;
  head: readonly string[];
  /** The first column names the row. */
  rows: readonly (readonly (number | null)[])[];
}

function NumberTable({ caption, head, rows }: NumberTableProps) {
  const cells = rows.map(([first, ...rest]) => [String(first), ...rest.map(shown)]);
  return (
    <details>
      <summary>Numbers</summary>
      <FigureTable class="numbers" rows={cells} {...{ caption, head }} />
    </details>
  );
}
