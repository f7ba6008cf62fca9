/** Curves in a line of text. */

const BARS = '▁▂▃▄▅▆▇█';

/** Characters of a curve. */
const WIDTH = 8;

/** The course of a value from its beginning to now, in few means; older ones merge as more come. */
export class Sparkline {
  private means: number[] = [];
  /** Values behind each of them, and those that are not yet one. */
  private size = 1;
  private open = { sum: 0, count: 0 };

  add(value: number): void {
    if (!Number.isFinite(value)) return;
    this.open.sum += value;
    this.open.count++;
    if (this.open.count < this.size) return;
    this.means.push(this.open.sum / this.open.count);
    this.open = { sum: 0, count: 0 };
    if (this.means.length < 2 * WIDTH) return;
    this.means = Array.from({ length: WIDTH }, (_, i) => (this.means[2 * i] + this.means[2 * i + 1]) / 2);
    this.size *= 2;
  }

  /**
   * The last eight of the means at most, from the least that has been to the greatest.
   *
   * @param range where the ends are known
   */
  text(range?: readonly [low: number, high: number]): string {
    const shown = this.means.length > WIDTH ? pairs(this.means) : this.means;
    const low =
      range?.[0] ?? shown.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    const high = range?.[1] ?? shown.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    const span = high - low || 1;
    return shown
      .map(
        (value) =>
          BARS[Math.max(0, Math.min(BARS.length - 1, Math.floor(((value - low) / span) * BARS.length)))],
      )
      .join('');
  }
}

/** Means of neighbours; the last stays alone where they are odd. */
const pairs = (values: readonly number[]) =>
  Array.from({ length: Math.ceil(values.length / 2) }, (_, i) => {
    const pair = values.slice(2 * i, 2 * i + 2);
    return pair.reduce((sum, value) => sum + value, 0) / pair.length;
  });
