/** Pages of one file that fetch nothing and run nothing: their policy forbids both. */
import { createHash } from 'node:crypto';
import { printable } from '@hrm-webgpu/core';

/** Text from anywhere as text of a page. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * @param styles of the page and of drawings in it: all that may apply, by their hashes
 * @param body HTML in which everything that comes from elsewhere is {@link escaped}
 */
export function htmlPage(title: string, styles: readonly string[], body: string): string {
  const hashes = [...new Set(styles)].map(
    (style) => `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  );
  const policy = [
    "default-src 'none'",
    `style-src ${hashes.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${styles[0]}</style>
${body}
</html>
`;
}
