/** What a page says of where it measures. */
import { describe, expect, it } from 'vitest';
import { browserName, pageBenchmarks } from '../../src/page.ts';

describe('browserName', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'Firefox 153.0'],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36',
      'HeadlessChrome 156.0.0.0',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
      'Edg 140.0.0.0',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
      'Safari 26.0',
    ],
    ['something else', 'something else'],
  ])('%s', (userAgent, name) => expect(browserName(userAgent)).toBe(name));
});

it('no benchmark of the page needs a checkout or a process of its own', () => {
  expect(pageBenchmarks.map(({ needsCheckout }) => needsCheckout)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(pageBenchmarks.flatMap(({ parts = [] }) => parts)).not.toContain('first-call');
});
