/** What a person sees: colours, a progress bar, grids. Progress goes to stderr, results to stdout. */
import { printable } from '@hrm-webgpu/core';

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

const BAR_WIDTH = 24;
const LINE_INTERVAL = 10_000;

/** A bar that rewrites one line of a terminal, or a line now and then where there is no terminal (CI, a file). */
export class ProgressBar {
  private lastLine = Date.now();
  private readonly tty = Boolean(process.stderr.isTTY);

  constructor(private readonly label: string) {}

  update(done: number, total: number, details: string): void {
    if (this.tty) {
      const filled = Math.round((done / total) * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      const line = `${this.label} ${bar} ${done}/${total}  ${details}`;
      const columns = process.stderr.columns ?? 100;
      process.stderr.write(`\r\x1b[2K${line.length < columns ? line : line.slice(0, columns - 1)}`);
    } else if (Date.now() - this.lastLine >= LINE_INTERVAL || done === total) {
      this.lastLine = Date.now();
      process.stderr.write(`${this.label} ${done}/${total}  ${details}\n`);
    }
  }

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    if (this.tty) process.stderr.write('\r\x1b[2K');
  }
}

/** A colour or its end, as {@link bold} and the like write them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const COLOUR = /(\x1b\[[\d;]*m)/;

/** A text with our colours; names in it may come from any file: what else would steer a terminal is escaped. */
function shown(text: string): string {
  if (!colours) return printable(text);
  return text
    .split(COLOUR)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('');
}

/** Prints a line on stderr. */
export function say(text: string): void {
  process.stderr.write(`${shown(text)}\n`);
}

/** Prints a line on stdout. */
export function print(text = ''): void {
  process.stdout.write(`${shown(text)}\n`);
}

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
