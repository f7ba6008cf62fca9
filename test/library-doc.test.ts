import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('docs/library.md speaks of all that is exported', async () => {
  const text = readFileSync(new URL('../docs/library.md', import.meta.url), 'utf8');
  const names = [...Object.keys(await import('hrm-webgpu')), ...Object.keys(await import('hrm-webgpu/node'))];
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});
