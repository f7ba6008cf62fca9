// Seeded mutations of bytes.
import { Philox } from '../../packages/core/dist/index.js';

const BYTES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x1b, 0x22, 0x2c, 0x5b, 0x5c, 0x7b];
const WORDS = [
  ...[
    '-1',
    '0',
    '1e12',
    '1e400',
    '99999999999999999999',
    '0.5',
    'NaN',
    'null',
    'true',
    '{}',
    '[]',
    '""',
    '"\\u001b]0;x\\u0007"',
  ],
  ...['__proto__', 'constructor', '\u001b[31m', '\u202e', '\r', '\n', '\t', '\u0000', 'é', '😀', '\ud800'],
];
const NUMBERS = [
  0n,
  1n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  0xffffffffffffffffn,
];
/** Inputs grow no larger than this by repetition. */
const MOST_BYTES = 2 ** 18;

const encoder = new TextEncoder();
const join = (...parts) => new Uint8Array(Buffer.concat(parts));

/** Each takes bytes, random numbers and the whole corpus, and gives bytes. */
const MUTATIONS = [
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const out = bytes.slice();
    out[random.below(out.length)] ^= 1 << random.below(8);
    return out;
  },
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const out = bytes.slice();
    out[random.below(out.length)] = BYTES[random.below(BYTES.length)];
    return out;
  },
  // A number in binary.
  (bytes, random) => {
    const size = random.below(2) === 0 ? 4 : 8;
    if (bytes.length < size) return bytes;
    const out = bytes.slice();
    const view = new DataView(out.buffer, out.byteOffset);
    const number = NUMBERS[random.below(NUMBERS.length)];
    const at = random.below(bytes.length - size + 1);
    if (size === 4) view.setUint32(at, Number(number & 0xffffffffn), true);
    else view.setBigUint64(at, number, true);
    return out;
  },
  // A number in text.
  (bytes, random) => {
    const text = Buffer.from(bytes).toString('latin1');
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: digits } = numbers[random.below(numbers.length)];
    const word = encoder.encode(WORDS[random.below(WORDS.length)]);
    return join(bytes.subarray(0, index), word, bytes.subarray(index + digits.length));
  },
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return join(bytes.subarray(0, at), encoder.encode(WORDS[random.below(WORDS.length)]), bytes.subarray(at));
  },
  // Without a stretch, and cut off.
  (bytes, random) => {
    const [from, length] = [random.below(bytes.length + 1), random.below(64)];
    return join(bytes.subarray(0, from), bytes.subarray(Math.min(bytes.length, from + length)));
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  // A stretch again and again.
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const from = random.below(bytes.length);
    const stretch = bytes.subarray(from, Math.min(bytes.length, from + 1 + random.below(48)));
    const most = Math.max(1, Math.floor((MOST_BYTES - bytes.length) / stretch.length));
    const times = 1 + random.below(Math.min(most, 2 ** random.below(14)));
    return join(bytes.subarray(0, from), ...Array(times).fill(stretch), bytes.subarray(from));
  },
  (bytes, random) => {
    const bracket = ['[', '{"a":', '(', ']'][random.below(4)];
    const at = random.below(bytes.length + 1);
    const deep = encoder.encode(bracket.repeat(2 ** random.below(15)));
    return join(bytes.subarray(0, at), deep, bytes.subarray(at));
  },
  // Another's end.
  (bytes, random, corpus) => {
    const other = corpus[random.below(corpus.length)];
    return join(
      bytes.subarray(0, random.below(bytes.length + 1)),
      other.subarray(random.below(other.length + 1)),
    );
  },
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const out = bytes.slice();
    const from = random.below(out.length);
    out.fill(0, from, from + 1 + random.below(512));
    return out;
  },
];

/** The `index`-th input of a seed: one of the corpus with one to six mutations. */
export function inputOf(corpus, seed, index) {
  const random = new Philox(seed, index);
  let bytes = corpus[random.below(corpus.length)];
  for (let left = 1 + random.below(6); left > 0; left--) {
    bytes = MUTATIONS[random.below(MUTATIONS.length)](bytes, random, corpus);
  }
  return new Uint8Array(bytes);
}
