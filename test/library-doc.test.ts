import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('docs/library.md speaks of all that is exported', async () => {
  const text = readFileSync(new URL('../docs/library.md', import.meta.url), 'utf8');
  const entries = [
    await import('hrm-webgpu'),
    await import('hrm-webgpu/node'),
    await import('hrm-webgpu/puzzles'),
    await import('hrm-webgpu/inside'),
  ];
  const names = entries.flatMap((entry) => Object.keys(entry));
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});
