/** Texts from files that would fill a screen of a message, found by test/fuzz. */
import { expect, it } from 'vitest';
import { parseMetadata } from '../../src/data/dataset/dataset-metadata.ts';
import { encodeNpyHeader, parseNpy } from '../../src/data/dataset/npy.ts';
import { parseYaml } from '../../src/formats/yaml/yaml.ts';
import { parsePuzzle } from '../../src/puzzles/parse-puzzle.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const LONG = '['.repeat(5000);
const digits = '9'.repeat(5000);

function npyOf(descr: string): Uint8Array<ArrayBuffer> {
  const header = new TextDecoder('latin1').decode(encodeNpyHeader('<i4', [1]));
  const text = header.replace('<i4', descr);
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  new DataView(bytes.buffer).setUint16(8, bytes.length - 10, true);
  return bytes;
}

it.each<[string, RegExp, () => unknown]>([
  ['a key of a map in YAML', /after the key \[/, () => parseYaml(`a: {"${LONG}"}`, 'file')],
  [
    'a key of a map in YAML that is there twice',
    /the key \[.* is there twice/,
    () => parseYaml(`a: {"${LONG}": 1, "${LONG}": 2}`, 'file'),
  ],
  ['a number in YAML', /9… is beyond/, () => parseYaml(`a: ${digits}`, 'file')],
  ['an octal number in YAML', /7… is an octal/, () => parseYaml(`a: 0${'7'.repeat(5000)}`, 'file')],
  ['the type of an array', /has the type 'x/, () => parseNpy(npyOf(LONG.replaceAll('[', 'x')), 'file')],
  [
    'a key of a symmetry',
    /unknown key '\[/,
    () =>
      parseMetadata(
        bytesOf({
          ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0, vocab_size: 3, seq_len: 2 },
          ...{ num_puzzle_identifiers: 1, total_groups: 1, mean_puzzle_examples: 1, sets: ['all'] },
          symmetries: [{ cells: [1, 0], [LONG]: 1 }],
        }),
        'file',
      ),
  ],
  ['a row of a puzzle', /row 1/, () => parsePuzzle(`1 ${LONG}x\n2 3`)],
])('%s is shortened in messages', (_, expected, read) => {
  let message = '';
  try {
    read();
  } catch (error) {
    ({ message } = error as Error);
  }
  expect(message).toMatch(expected);
  expect(message.length).toBeLessThan(400);
});

it('a long text of puzzles that are none takes no time', () => {
  const text = '3 4|1 2\n2 1-\n'.repeat(60_000);
  const start = performance.now();
  expect(() => parsePuzzle(text)).toThrow(/row 1/);
  // A tenth of it here; quoting each of its lines for each size of Sudoku took 2 s.
  expect(performance.now() - start).toBeLessThan(1500);
});
