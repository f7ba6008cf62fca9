import { readFileSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../../src/formats/files/byte-source.ts';
import { runArcParity } from '../../../src/parity/arc.ts';

const read = (name: string) => readFileSync(new URL(`../../../../../test/fixtures/${name}`, import.meta.url));

/** Runs a fixture after `change` to what is parsed of it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of fixtures
function run(name: string, change: (json: any) => void = () => {}) {
  const json = JSON.parse(read(name).toString());
  change(json);
  return runArcParity(async (file) => {
    if (file === name) return bytesSource(Buffer.from(JSON.stringify(json)), file);
    return file === 'arc-vote.safetensors' ? bytesSource(read(file), file) : undefined;
  }, name);
}

describe('runArcParity', () => {
  it.each([
    ['arc.json', { 'arc, canvas': 30, 'arc, augmentation': 6, 'arc, undone': 6 }],
    ['arc-crop.json', { 'arc, crop': 10 }],
    ['arc-vote.json', { 'arc, tasks': 13, 'arc, solved': 1 }],
  ])('agrees with %s', async (name, groups) => {
    const rows = await run(name);
    expect(Object.fromEntries(rows.map(({ group, compared }) => [group, compared]))).toEqual(groups);
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
  });

  it.each([
    [
      'arc.json',
      (json) => (json[2].encoded[0].input[json[2].encoded[0].input.indexOf(1)] = 0),
      ['arc, canvas'],
    ],
    ['arc.json', (json) => (json[0].augmentation.augmented[0][0] ^= 1), ['arc, augmentation', 'arc, undone']],
    ['arc-crop.json', (json) => json[3].crop.pop(), ['arc, crop']],
    ['arc-vote.json', (json) => json.solved[1]++, ['arc, solved']],
    ['arc-vote.json', (json) => delete json.per_task['103eff5b'], ['arc, tasks']],
    ['arc-vote.json', (json) => (json.per_task['103eff5b'][1] = false), ['arc, tasks']],
    // biome-ignore lint/suspicious/noExplicitAny: JSON of fixtures
  ] as [string, (json: any) => void, string[]][])(
    'tells a difference in %s: %s',
    async (name, change, failed) => {
      const rows = await run(name, change);
      expect(rows.filter(({ ok }) => !ok).map(({ group }) => group)).toEqual(failed);
    },
  );

  it.each([
    ['arc.json', (json) => json.splice(0), /arc\.json: is no ARC parity file/],
    ['arc.json', (json) => delete json[0].encoded, /arc\.json: is no ARC parity file/],
    [
      'arc.json',
      (json) => json[0].encoded[0].input.pop(),
      /encoded\[0\]\.input must be a list of 900 tokens/,
    ],
    ['arc.json', (json) => (json[0].augmentation.name = 'x'), /augmentation\.name must be/],
    ['arc.json', (json) => (json[0].augmentation = null), /augmentation\.name must be/],
    ['arc-crop.json', (json) => (json[0].crop = [[1], [1, 2]]), /arc-crop\.json\[0\]\.crop\[1\] has 2 cells/],
    ['arc-vote.json', (json) => (json.K = 2), /arc-vote\.json: K must be a list/],
    ['arc-vote.json', (json) => (json.per_task['103eff5b'] = 1), /per_task\.103eff5b must be a list/],
    ['arc-vote.json', (json) => json.identifiers.splice(5), /no name for the puzzle identifier/],
    // biome-ignore lint/suspicious/noExplicitAny: JSON of fixtures
  ] as [string, (json: any) => void, RegExp][])('refuses a wrong %s: %s', async (name, change, message) => {
    const error = await run(name, change).catch((reason) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(message);
  });

  it('needs the arrays beside votes', async () => {
    const alone = runArcParity(
      async (file) => (file.endsWith('.json') ? bytesSource(read(file), file) : undefined),
      'arc-vote.json',
    );
    await expect(alone).rejects.toThrow('arc-vote.safetensors: no such file');
  });
});
