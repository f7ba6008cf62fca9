/** Text tables. */

/** Three significant digits, without an exponent. */
export function significant(value: number): string {
  const decimals = 2 - Math.floor(Math.log10(Math.abs(value) || 1));
  return value.toFixed(Math.min(Math.max(decimals, 0), 6));
}

/** Lines of a table: the first column to the left, the others to the right. */
export function formatTable(table: readonly (readonly string[])[]): string[] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('  '),
  );
}
