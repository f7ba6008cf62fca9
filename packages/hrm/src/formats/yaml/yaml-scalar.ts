/**
 * YAML scalars: what PyYAML (YAML 1.1) reads a text as, and how to write a value so that it reads the same.
 */
import { oneLine } from '../quote.ts';

/** A value that is neither list nor map. */
export type YamlScalar = null | boolean | number | string;

export type YamlValue = YamlScalar | YamlValue[] | YamlMap;

/** Keys are strings, whatever they look like. */
export interface YamlMap {
  [key: string]: YamlValue;
}

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUES = new Set(['true', 'True', 'TRUE', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const FALSES = new Set(['false', 'False', 'FALSE', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);
const INTEGER = /^[-+]?(?:0|[1-9][0-9_]*)$/;
/** PyYAML wants a dot and a signed exponent; OmegaConf also reads `1e-4`, as everyone means it. */
const FLOAT =
  /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)$/;
const INFINITE = /^[-+]?\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;
/** Octal, binary, hexadecimal and base-60 numbers (`1:30` is 90): more often a slip than meant. */
const ODD_NUMBER = /^[-+]?(?:0[0-7_]+|0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$/;

/** A scalar that cannot be read; the parser adds file and line. */
export class ScalarError extends Error {}

/** What the unquoted `text` means. */
export function resolvePlain(text: string): YamlScalar {
  if (NULLS.has(text)) return null;
  if (TRUES.has(text)) return true;
  if (FALSES.has(text)) return false;
  if (INFINITE.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (NOT_A_NUMBER.test(text)) return Number.NaN;
  const isInteger = INTEGER.test(text);
  if (!isInteger && !FLOAT.test(text)) {
    if (!ODD_NUMBER.test(text)) return text;
    throw new ScalarError(
      `${oneLine(text)} is an octal, hexadecimal, binary or base-60 number: write it in decimal, or quote it`,
    );
  }
  const value = Number(text.replaceAll('_', ''));
  if (isInteger && !Number.isSafeInteger(value))
    throw new ScalarError(`${oneLine(text)} is beyond ±2^53: quote it`);
  return value;
}

/** Where the string that opens with a quote at `text[start - 1]` closes; -1 if not in `text`. */
export function closingQuote(text: string, start: number, quote: string): number {
  for (let i = start; i < text.length; i++) {
    if (quote === '"' && text[i] === '\\') i++;
    else if (text[i] === quote) {
      if (quote === '"' || text[i + 1] !== quote) return i;
      i++;
    }
  }
  return -1;
}

const ESCAPES: Record<string, string> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

function escapedCharacter(sequence: string): string {
  const code = sequence.length > 1 ? Number.parseInt(sequence.slice(1), 16) : Number.NaN;
  const character = code <= 0x10ffff ? String.fromCodePoint(code) : ESCAPES[sequence];
  if (character === undefined) throw new ScalarError(`\\${sequence} is not an escape sequence`);
  return character;
}

/** The string that stands between quotes as `body`. */
export function unquote(body: string, quote: string): string {
  if (quote === "'") return body.replaceAll("''", "'");
  const sequences = /\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gsu;
  return body.replace(sequences, (_, sequence: string) => escapedCharacter(sequence));
}

function isPlainSafe(text: string): boolean {
  if (!/^[A-Za-z_/][\w ./@+-]*$/.test(text) || text.endsWith(' ')) return false;
  return typeof resolvePlain(text) === 'string';
}

function formatString(text: string): string {
  if (isPlainSafe(text)) return text;
  if (/^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  const escaped = text.replace(/[^\x20-\x7e]|["\\]/gu, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\U${(character.codePointAt(0) as number).toString(16).padStart(8, '0')}`;
  });
  return `"${escaped}"`;
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf';
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  // As an integer it would have to be exact.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && !text.includes('e')) return `${text}.0`;
  // PyYAML takes 1e-7 for a string, and 1e+21 too.
  if (text.includes('e') && !text.includes('.')) return text.replace('e', '.0e');
  return text;
}

/** `value` in one line, as PyYAML and {@link resolvePlain} read it back. */
export function formatScalar(value: YamlScalar): string {
  if (typeof value === 'string') return formatString(value);
  return typeof value === 'number' ? formatNumber(value) : String(value);
}
