/** YAML's one-line lists and maps: `[1, 2]`, `{a: 1, b: [c, d]}`. */

import { oneLine } from '../quote.ts';
import { closingQuote, resolvePlain, ScalarError, unquote, type YamlValue } from './yaml-scalar.ts';

const MAX_DEPTH = 64;

/** Reads one flow collection of `line` and stands behind it. Throws {@link ScalarError}. */
export class FlowReader {
  constructor(
    private readonly line: string,
    private position: number,
  ) {}

  /** Where the collection that was read ends. */
  get end(): number {
    return this.position;
  }

  /** The value at the current position. */
  value(depth = 0): YamlValue {
    if (depth > MAX_DEPTH) throw new ScalarError(`lists and maps nested more than ${MAX_DEPTH} deep`);
    const open = this.peek();
    if (open === '[') return this.items(']', () => this.value(depth + 1));
    if (open === '{') return Object.fromEntries(this.pairs(depth));
    if (open === '"' || open === "'") return this.quoted(open);
    return resolvePlain(this.plain());
  }

  private pairs(depth: number): Map<string, YamlValue> {
    const map = new Map<string, YamlValue>();
    this.items('}', () => {
      const open = this.peek();
      const key = open === '"' || open === "'" ? this.quoted(open) : this.plain();
      if (this.peek() !== ':')
        throw new ScalarError(`expected ":" and a value after the key ${oneLine(key)}`);
      this.position++;
      if (map.has(key)) throw new ScalarError(`the key ${oneLine(key)} is there twice`);
      map.set(key, this.value(depth + 1));
      return null;
    });
    return map;
  }

  /** What `item` reads between the current bracket and `close`, separated by commas. */
  private items(close: string, item: () => YamlValue): YamlValue[] {
    this.position++;
    const items: YamlValue[] = [];
    while (this.peek() !== close) {
      items.push(item());
      if (this.peek() === ',') this.position++;
      else if (this.peek() !== close) throw new ScalarError(`expected "," or "${close}"`);
    }
    this.position++;
    return items;
  }

  /** The next character that is not a space. */
  private peek(): string {
    while (this.line[this.position] === ' ') this.position++;
    const character = this.line[this.position];
    if (character === undefined)
      throw new ScalarError('a list or map that opens with [ or { must close on its line');
    return character;
  }

  private quoted(quote: string): string {
    const start = this.position + 1;
    const end = closingQuote(this.line, start, quote);
    if (end < 0) throw new ScalarError('a quote is not closed');
    this.position = end + 1;
    return unquote(this.line.slice(start, end), quote);
  }

  private plain(): string {
    const rest = this.line.slice(this.position);
    const length = rest.search(/[,[\]{}#]|:(?=[ ,[\]{}]|$)|$/);
    const text = rest.slice(0, length).trimEnd();
    if (!text || /^[&*!|>%@`]/.test(text))
      throw new ScalarError(`expected a value at ${JSON.stringify(rest.slice(0, 20))}`);
    this.position += length;
    return text;
  }
}
