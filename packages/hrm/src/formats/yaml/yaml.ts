/**
 * The part of YAML that configuration files use: nested maps and lists, one-line `[…]` and `{…}`, plain and
 * quoted scalars (also folded over lines, as PyYAML writes long ones), comments. Scalars mean what PyYAML and
 * OmegaConf take them for. Anchors, aliases, tags, block scalars (`|`, `>`) and several documents are
 * refused.
 */

import { UserError } from '@hrm-webgpu/core';
import { quoted } from '../quote.ts';
import { FlowReader } from './yaml-flow.ts';
import {
  closingQuote,
  formatScalar,
  resolvePlain,
  ScalarError,
  unquote,
  type YamlMap,
  type YamlScalar,
  type YamlValue,
} from './yaml-scalar.ts';

export type { YamlMap, YamlValue };

const MAX_DEPTH = 64;

/** What a plain scalar cannot begin with, and what to say of it. */
const RESERVED: Record<string, string> = {
  '&': 'an anchor (&) is not supported: write the value out',
  '*': 'an alias (*) is not supported: write the value out',
  '!': 'a tag (!) is not supported: remove it',
  '|': 'a block scalar (|) is not supported: write "…" on one line',
  '>': 'a block scalar (>) is not supported: write "…" on one line',
  '%': 'a directive (%) is not supported: remove it',
  '@': 'a text cannot begin with @: quote it',
  '`': 'a text cannot begin with `: quote it',
  ']': 'a ] without its [',
  '}': 'a } without its {',
  ',': 'a text cannot begin with a comma: quote it',
};

const isItem = (text: string): boolean => /^-(?: |$)/.test(text);

class Parser {
  private readonly lines: string[];
  private row = 0;

  constructor(
    text: string,
    private readonly file: string,
  ) {
    this.lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
  }

  document(): YamlValue {
    if (this.more() && /^---\s*(?:#.*)?$/.test(this.line)) this.row++;
    const value = this.guard(() => this.block(0, 0));
    if (this.more() && /^\.\.\.\s*$/.test(this.line)) this.row++;
    if (this.more()) {
      const separator = /^(?:---|\.\.\.)/.test(this.line);
      this.fail(
        separator ? 'more than one document is not supported' : 'expected nothing more at this indentation',
      );
    }
    return value;
  }

  private get line(): string {
    return this.lines[this.row];
  }

  private fail(found: string): never {
    throw new UserError(`${this.file}, line ${Math.min(this.row, this.lines.length - 1) + 1}: ${found}.`);
  }

  private guard(read: () => YamlValue): YamlValue {
    try {
      return read();
    } catch (error) {
      if (error instanceof ScalarError) this.fail(error.message);
      throw error;
    }
  }

  /** Whether there is another line that says something; moves to it. */
  private more(): boolean {
    while (this.row < this.lines.length && /^\s*(?:#|$)/.test(this.line)) this.row++;
    return this.row < this.lines.length;
  }

  private indent(): number {
    const spaces = this.line.search(/[^ ]/);
    if (this.line[spaces] === '\t') this.fail('a tab in the indentation: use spaces');
    return spaces;
  }

  /** The value that begins on the next line, if that is indented by `least` spaces or more. */
  private block(least: number, depth: number): YamlValue {
    if (depth > MAX_DEPTH) this.fail(`lists and maps nested more than ${MAX_DEPTH} deep`);
    if (!this.more()) return null;
    const indent = this.indent();
    if (indent < least) return null;
    if (isItem(this.line.slice(indent))) return this.list(indent, depth);
    if (this.keyAt(indent)) return this.map(indent, depth);
    return this.inline(indent, least);
  }

  private list(indent: number, depth: number): YamlValue[] {
    const items: YamlValue[] = [];
    while (this.continues(indent) && isItem(this.line.slice(indent))) {
      // Without its dash an item is a block of its own, indented as far as its first word.
      this.lines[this.row] = `${' '.repeat(indent + 1)}${this.line.slice(indent + 1)}`;
      items.push(this.block(indent + 1, depth + 1));
    }
    return items;
  }

  private map(indent: number, depth: number): YamlMap {
    const map = new Map<string, YamlValue>();
    while (this.continues(indent)) {
      const { key, end } = this.keyAt(indent) ?? this.fail('expected "key: value"');
      if (map.has(key)) this.fail(`the key ${quoted(key)} is there twice`);
      map.set(key, this.valueAfter(end, indent, depth));
    }
    return Object.fromEntries(map);
  }

  /** Whether the next line belongs to a block whose lines are indented by `indent`. */
  private continues(indent: number): boolean {
    if (!this.more() || /^(?:---|\.\.\.)(?: |$)/.test(this.line)) return false;
    const found = this.indent();
    if (found > indent) this.fail(`indented by ${found} spaces, expected ${indent}`);
    return found === indent;
  }

  /** The key that the line has at `column`, and where its colon ends. */
  private keyAt(column: number): { key: string; end: number } | undefined {
    const rest = this.line.slice(column);
    const quote = rest[0];
    if (quote === '[' || quote === '{') return undefined;
    if (/^\?(?: |$)/.test(rest)) this.fail('an explicit key (?) is not supported: write "key: value"');
    if (quote === '"' || quote === "'") {
      const close = closingQuote(rest, 1, quote);
      const colon = close < 0 ? null : /^ *:(?= |$)/.exec(rest.slice(close + 1));
      if (!colon) return undefined;
      return { key: unquote(rest.slice(1, close), quote), end: column + close + 1 + colon[0].length };
    }
    const length = rest.search(/:(?= |$)| #/);
    if (rest[length] !== ':') return undefined;
    const key = this.checkPlain(rest.slice(0, length).trimEnd());
    if (key === '' || key === '<<') this.fail(`expected a key, found ${quoted(rest)}`);
    return { key, end: column + length + 1 };
  }

  /** The value of the key whose colon ends at `column`. */
  private valueAfter(column: number, indent: number, depth: number): YamlValue {
    const start = this.line.slice(column).search(/[^ ]/);
    if (start >= 0 && this.line[column + start] !== '#') return this.inline(column + start, indent + 1);
    this.row++;
    // A list may stand as far left as its key.
    const flush = this.more() && this.indent() === indent && isItem(this.line.slice(indent));
    return flush ? this.list(indent, depth + 1) : this.block(indent + 1, depth + 1);
  }

  /** The scalar or flow collection at `column`; its further lines are indented by `least` or more. */
  private inline(column: number, least: number): YamlValue {
    const open = this.line[column];
    if (open === '"' || open === "'") return this.quotedText(column, open);
    if (open !== '[' && open !== '{') return this.plain(column, least);
    const flow = new FlowReader(this.line, column);
    const value = flow.value();
    this.endLine(flow.end);
    return value;
  }

  /** Nothing but a comment may follow a value that ends at `column`. */
  private endLine(column: number): void {
    const rest = this.line.slice(column);
    if (!/^\s*(?: #.*)?$/.test(rest)) this.fail(`unexpected ${quoted(rest.trim())} after the value`);
    this.row++;
  }

  private quotedText(column: number, quote: string): string {
    const opened = this.row;
    const parts: string[] = [];
    let start = column + 1;
    let end = closingQuote(this.line, start, quote);
    while (end < 0) {
      parts.push(this.foldedPart(this.line.slice(start), quote));
      this.row++;
      if (this.row >= this.lines.length) {
        this.row = opened;
        this.fail('a quote is not closed');
      }
      start = this.line.length - this.line.trimStart().length;
      end = closingQuote(this.line, start, quote);
    }
    parts.push(this.line.slice(start, end));
    const text = unquote(parts.join(''), quote);
    this.endLine(end + 1);
    return text;
  }

  /** A line of a quoted text that goes on: its end is a space, a newline before an empty line, or escaped. */
  private foldedPart(part: string, quote: string): string {
    const escaped = /(?<!\\)(?:\\\\)*\\$/.test(part) && quote === '"';
    if (escaped) return part.slice(0, -1);
    const text = part.trimEnd();
    const nextIsEmpty = this.lines[this.row + 1]?.trim() === '';
    if (!text) return '\n';
    return nextIsEmpty ? text : `${text} `;
  }

  private plain(column: number, least: number): YamlScalar {
    let text = '';
    let separator = '';
    let start = column;
    for (;;) {
      const rest = this.line.slice(start);
      const comment = rest.search(/\s#/);
      const piece = this.checkPlain(
        comment < 0 ? rest.trimEnd() : rest.slice(0, comment).trimEnd(),
        text === '',
      );
      if (/:(?= |$)/.test(piece))
        this.fail(
          `a second "key: value" on the line, or bad indentation: quote ${quoted(piece)} if it is a text`,
        );
      text += separator + piece;
      const from = this.row++;
      if (comment >= 0 || !this.more() || this.indent() < least) break;
      if (/^(?:---|\.\.\.)(?: |$)/.test(this.line)) break;
      const skipped = this.lines.slice(from + 1, this.row);
      if (skipped.some((line) => line.trim())) this.fail('a text goes on after a comment: quote it');
      separator = skipped.length ? '\n'.repeat(skipped.length) : ' ';
      start = this.indent();
    }
    return resolvePlain(text);
  }

  private checkPlain(text: string, first = true): string {
    const reserved = first ? RESERVED[text[0]] : undefined;
    if (reserved) this.fail(reserved);
    if (first && /^[-?](?: |$)/.test(text))
      this.fail(`unexpected ${quoted(text)}: a list or map starts on its own line`);
    if (text.includes('\t')) this.fail('a tab: use spaces, or "\\t" in double quotes');
    return text;
  }
}

/**
 * The value of a YAML text; an empty one is null. `fileName` is what messages call it.
 * @throws UserError with the line of the mistake
 */
export function parseYaml(text: string, fileName: string): YamlValue {
  return new Parser(text, fileName).document();
}

function isCollection(value: YamlValue): value is YamlValue[] | YamlMap {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function inlineText(value: YamlValue): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[]' : '{}';
  return formatScalar(value);
}

function blockLines(value: YamlValue[] | YamlMap): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      if (!isCollection(item)) return [`- ${inlineText(item)}`];
      return blockLines(item).map((line, i) => `${i ? ' ' : '-'} ${line}`);
    });
  }
  return Object.entries(value).flatMap(([key, item]) => {
    const head = `${formatScalar(key)}:`;
    if (!isCollection(item)) return [`${head} ${inlineText(item)}`];
    const indent = Array.isArray(item) ? '' : '  ';
    return [head, ...blockLines(item).map((line) => indent + line)];
  });
}

/**
 * YAML for `value`, in blocks and in the order given, that {@link parseYaml} and PyYAML read back as the same
 * value.
 */
export function stringifyYaml(value: YamlValue): string {
  return `${isCollection(value) ? blockLines(value).join('\n') : inlineText(value)}\n`;
}
