import { wrap } from '../../timing/table.ts';

const WIDTH = 11;
/** Of which `wrap` breaks no line. */
const HARD_SPACE = '\u00a0';

/** A label, and text beside it, over lines where it is long. */
export function labelled(label: string, text: string): string[] {
  const [first, ...rest] = wrap(label.padEnd(WIDTH, HARD_SPACE) + text, ' '.repeat(WIDTH));
  return [first.replaceAll(HARD_SPACE, ' '), ...rest];
}
