/** What a person sees: colours, a progress bar, grids. Progress goes to stderr, results to stdout. */
import { printable } from '@hrm-webgpu/core';
import { COLOUR, wrapped } from './wrap.ts';

/** Whether stdout may have colours. */
export const colours =
  process.env.NO_COLOR === undefined && (process.stdout.isTTY || process.env.FORCE_COLOR !== undefined);

const style = (on: number, off: number) => (text: string) =>
  colours ? `\x1b[${on}m${text}\x1b[${off}m` : text;

export const bold = style(1, 22);
export const dim = style(2, 22);
export const red = style(31, 39);
export const green = style(32, 39);

/** `0:05`, `12:34`, `1:02:03` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Of the bar: no wider than this, and none at all where there is less room than that. */
const BAR_WIDTH = { most: 24, least: 5 };
const LINE_INTERVAL = 10_000;

/** A bar that rewrites one line of a terminal, or a line now and then where there is no terminal (CI, a file). */
export class ProgressBar {
  private lastLine = performance.now();
  private readonly tty = Boolean(process.stderr.isTTY);

  constructor(private readonly label: string) {}

  /** @param details in order; where there is little room the last but one goes first, and the last stays */
  update(done: number, total: number, details: string | readonly string[]): void {
    const parts = typeof details === 'string' ? [details] : details;
    if (this.tty) {
      process.stderr.write(
        `\r\x1b[2K${barLine(this.label, done, total, parts, process.stderr.columns ?? 80)}`,
      );
    } else if (performance.now() - this.lastLine >= LINE_INTERVAL || done === total) {
      this.lastLine = performance.now();
      process.stderr.write(`${this.label} ${done}/${total}  ${parts.join('  ')}\n`);
    }
  }

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    if (this.tty) process.stderr.write('\r\x1b[2K');
  }
}

/** A text with our colours; names in it may come from any file: what else would steer a terminal is escaped. */
function shown(text: string): string {
  if (!colours) return printable(text);
  return text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('');
}

/** A bar and what is said beside it, in less than so many columns. */
export function barLine(
  label: string,
  done: number,
  total: number,
  details: readonly string[],
  columns: number,
): string {
  const parts = [...details];
  const rest = () => `${done}/${total}${parts.map((part) => `  ${part}`).join('')}`;
  const room = () => columns - 1 - label.length - 2 - rest().length;
  while (room() < 0 && parts.length > 1) parts.splice(-2, 1);
  const width = Math.min(BAR_WIDTH.most, room());
  if (width < BAR_WIDTH.least) return `${label} ${rest()}`.slice(0, Math.max(0, columns - 1));
  const filled = Math.round((done / total) * width);
  return `${label} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${rest()}`;
}

/** As it is, but in a terminal broken between words where it is wider than that. */
function fitting(text: string, { isTTY, columns }: NodeJS.WriteStream): string {
  const lines = shown(text).split('\n');
  return (isTTY && columns > 0 ? lines.flatMap((line) => wrapped(line, columns)) : lines).join('\n');
}

/** Prints lines on stderr. */
export function say(text: string): void {
  process.stderr.write(`${fitting(text, process.stderr)}\n`);
}

/** Prints lines on stdout. */
export function print(text = ''): void {
  process.stdout.write(`${fitting(text, process.stdout)}\n`);
}

/** Prints a JSON document on stdout, as it is in any terminal: its lines are not for people alone. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2);
  process.stdout.write(`${text.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, jsonEscape)}\n`);
}

const jsonEscape = (character: string) =>
  [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');

/** A share as a percentage with one decimal. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A size in decimal units: `512 B`, `2.0 kB`, `109.1 MB`, `2.3 GB` */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const unit = bytes < 1e6 ? 1 : bytes < 1e9 ? 2 : 3;
  return `${(bytes / 1000 ** unit).toFixed(1)} ${['B', 'kB', 'MB', 'GB'][unit]}`;
}
