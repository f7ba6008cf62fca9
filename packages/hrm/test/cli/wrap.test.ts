import { expect, it } from 'vitest';
import { wrapped } from '../../src/cli/wrap.ts';

it('leaves what fits as it is', () => {
  expect(wrapped('', 10)).toEqual(['']);
  expect(wrapped('  1 2 3   ', 10)).toEqual(['  1 2 3   ']);
});

it('breaks between words, and sets in what goes on', () => {
  expect(wrapped('one two three four', 10)).toEqual(['one two', '  three', '  four']);
  expect(wrapped('  name    a value of words', 14)).toEqual(['  name    a', '    value of', '    words']);
});

it('keeps long words whole, and counts no colours', () => {
  expect(wrapped('see /a/very/long/path now', 10)).toEqual(['see', '  /a/very/long/path', '  now']);
  expect(wrapped('\x1b[1mone\x1b[22m two', 7)).toEqual(['\x1b[1mone\x1b[22m two']);
});

it.each([1, 7, 20, 40])('loses no word at %d columns', (columns) => {
  const text = '   the quick  brown fox; jumps over 13 lazy dogs — ünd größer';
  const lines = wrapped(text, columns);
  expect(lines.join(' ').split(/ +/)).toEqual(text.split(/ +/));
  for (const line of lines) expect(line.length <= columns || !line.trim().includes(' '), line).toBe(true);
});
