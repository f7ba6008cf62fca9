/** Lines for narrow terminals. */

/** A colour or its end, as `bold` and the like of terminal.ts write them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
export const COLOUR = /(\x1b\[[\d;]*m)/g;

const widthOf = (text: string) => [...text.replace(COLOUR, '')].length;

/**
 * A line in as many as it takes to fit into so many columns, broken between words; what goes on is set in by two more columns than
 * the line. A word that is longer stays whole.
 */
export function wrapped(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line];
  const indent = Math.min(widthOf(line) - widthOf(line.trimStart()) + 2, Math.floor(columns / 2));
  const lines: string[] = [];
  let current = '';
  for (const piece of line.match(/ +|[^ ]+/g) ?? []) {
    if (piece[0] !== ' ' && current.trim() && widthOf(current + piece) > columns) {
      lines.push(current.trimEnd());
      current = ' '.repeat(indent);
    }
    current += piece[0] === ' ' && lines.length > 0 && !current.trim() ? '' : piece;
  }
  return [...lines, current.trimEnd()];
}
