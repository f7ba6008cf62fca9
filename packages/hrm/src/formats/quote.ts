/** Text and values of unknown origin, for messages. */
import { printable } from '@hrm-webgpu/core';

/** Characters of it that are shown. */
const MOST = 80;

/** The beginning of a text, on one line; what would steer a terminal is escaped. */
export function oneLine(text: string): string {
  const cut = text.length > MOST ? `${text.slice(0, MOST)}…` : text;
  return printable(cut.replace(/[\r\n\t\u2028\u2029]+/g, ' '));
}

/** A text in quotes: its beginning, with escapes. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text.length > MOST ? `${text.slice(0, MOST)}…` : text));
}

/** The beginning of a value of parsed JSON or YAML, as it would be written. */
export function valueText(value: unknown): string {
  return value === undefined ? 'nothing' : oneLine(JSON.stringify(value));
}
