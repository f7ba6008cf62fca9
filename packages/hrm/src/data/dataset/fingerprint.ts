/** Tells datasets apart by what they hold, wherever they lie. */
import type { Split } from './dataset.ts';
import { pieces } from './token-rows.ts';

/** Two sums that mix in a different way: that two datasets which differ by accident have both alike is one chance in 2⁶⁴. */
class Sums {
  private a = 0x2545f491;
  private b = 0x5bd1e995;

  add(values: ArrayLike<number>): void {
    let { a, b } = this;
    for (let i = 0; i < values.length; i++) {
      a = Math.imul(a ^ values[i], 0x01000193);
      a ^= a >>> 15;
      b = (Math.imul(b, 0x85ebca6b) + values[i]) | 0;
      b ^= b >>> 13;
    }
    this.a = a;
    this.b = b;
  }

  get text(): string {
    return [this.a, this.b].map((sum) => (sum >>> 0).toString(16).padStart(8, '0')).join('');
  }
}

/**
 * 16 hexadecimal digits of everything that splits hold: every array of every set, and their metadata. Equal for equal
 * contents, whatever folder and integer type they are stored in.
 *
 * @param breathe awaited now and then: a large dataset takes seconds
 */
export async function fingerprint(
  splits: Iterable<Split>,
  breathe: () => unknown = () => {},
): Promise<string> {
  const sums = new Sums();
  for (const { metadata, sets } of splits) {
    sums.add(new TextEncoder().encode(JSON.stringify(metadata)));
    for (const [name, set] of sets) {
      const { inputs, labels, puzzleIdentifiers, puzzleIndices, groupIndices } = set;
      sums.add(new TextEncoder().encode(name));
      for (const list of [puzzleIdentifiers, puzzleIndices, groupIndices]) sums.add([list.length]);
      for (const list of [puzzleIdentifiers, puzzleIndices, groupIndices]) sums.add(list);
      for (const rows of [inputs, labels]) {
        for (const { tokens } of pieces(rows)) {
          sums.add(tokens);
          await breathe();
        }
      }
    }
  }
  return sums.text;
}
