/** Text for terminals of 80 columns. */

/** What everything printed fits into. */
export const COLUMNS = 80;

/** Three significant digits, without an exponent. */
export function significant(value: number): string {
  const decimals = 2 - Math.floor(Math.log10(Math.abs(value) || 1));
  return value.toFixed(Math.min(Math.max(decimals, 0), 6));
}

/**
 * Lines of a table: the first column to the left, the others to the right. A name for which a line has no room stands on
 * lines of its own, above its numbers.
 */
export function formatTable(table: readonly (readonly string[])[]): string[] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const numbers = widths.slice(1).reduce((sum, width) => sum + 2 + width, 0);
  const room = Math.min(widths[0], Math.max(0, COLUMNS - numbers));
  return table.flatMap(([name, ...cells]) => {
    const values = cells.map((cell, i) => `  ${cell.padStart(widths[i + 1])}`).join('');
    if (name.length <= room) return [name.padEnd(room) + values];
    return [...wrap(name), ...(values.trim() ? [' '.repeat(room) + values] : [])];
  });
}

/** A text in lines; the second and later ones begin with `indent`. A word that is longer than a line stays whole. */
export function wrap(text: string, indent = ''): string[] {
  const [first, ...words] = text.split(' ');
  const lines = [first];
  for (const word of words) {
    const line = lines[lines.length - 1];
    if (line.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}

/** Paragraphs as lines that fit: lines that begin with spaces are lists, and stay apart. */
export function reflow(text: string): string {
  const paragraphs: string[] = [];
  let open = false;
  for (const line of text.split('\n')) {
    const apart = line === '' || line.startsWith(' ');
    if (open && !apart) paragraphs[paragraphs.length - 1] += ` ${line}`;
    else paragraphs.push(line);
    open = !apart;
  }
  return paragraphs.flatMap((paragraph) => wrap(paragraph, listIndent(paragraph))).join('\n');
}

/** Where the text of an item begins: behind its name and the spaces after it. */
const listIndent = (paragraph: string) => ' '.repeat(paragraph.match(/^ +\S+ {2,}/)?.[0].length ?? 0);
