/** JSON that somebody else wrote. */
import { oneLine } from './quote.ts';

/** Nothing that is read here is nested nearly as deep; what looks at deep values runs out of stack. */
const MOST_DEPTH = 64;

/**
 * As `JSON.parse`.
 *
 * @throws SyntaxError for what is no JSON, or nested too deeply; its message is one line, without what would steer a terminal
 */
// biome-ignore lint/suspicious/noExplicitAny: as JSON.parse, for whoever checks what it is
export function parseJson(text: string): any {
  if (isTooDeep(text)) throw new SyntaxError(`it is nested more than ${MOST_DEPTH} deep`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // No error of our own: of a file of bad lines there would be two for each.
    (error as Error).message = oneLine((error as Error).message);
    throw error;
  }
}

/** Whether more brackets are open at a time than may be; those in strings do not count. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === BRACKET || code === BRACE) {
      if (++depth > MOST_DEPTH) return true;
    } else if (code === BRACKET_END || code === BRACE_END) depth--;
  }
  return false;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [BRACKET, BRACKET_END, BRACE, BRACE_END] = [0x5b, 0x5d, 0x7b, 0x7d];
