/** Tables of text. */
import { bold } from './terminal.ts';

const GAP = '  ';

/** Columns of texts under their names; numbers stand to the right: all columns but the first whose texts begin with a digit. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) =>
    rows.reduce((most, row) => Math.max(most, row[i].length), name.length),
  );
  const isNumber = head.map((_, i) => i > 0 && rows.some((row) => /^-?\d/.test(row[i])));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join(GAP)
      .trimEnd();
  return [bold(line(head)), ...rows.map(line)];
}
