import { expect, it } from 'vitest';
import { coveringSettings } from '../../src/checks/covering.ts';

const tunables = { A: [1, 2, 4], B: [8, 16], C: [1, 2], D: [1, 2] };
const any = async () => true;
const has = (found: Record<string, number>[], wanted: Record<string, number>) =>
  found.some((settings) => Object.entries(wanted).every(([name, value]) => settings[name] === value));

it('every value meets every other one, in few settings', async () => {
  const found = await coveringSettings(tunables, any);
  for (const [one, values] of Object.entries(tunables))
    for (const [other, others] of Object.entries(tunables))
      for (const a of values)
        for (const b of others) if (one < other) expect(has(found, { [one]: a, [other]: b })).toBe(true);
  expect(found.length).toBeLessThan(9); // of 24
});

it('a single tunable has each of its values; none, nothing', async () => {
  expect(await coveringSettings({ A: [1, 8, 32] }, any)).toEqual([{ A: 1 }, { A: 8 }, { A: 32 }]);
  expect(await coveringSettings({}, any)).toEqual([]);
});

it('goes around what a kernel cannot have', async () => {
  const allowed = async ({ A, B, C }: Record<string, number>) =>
    !(A === 4 && B === 16) && !(B === 8 && C === 2);
  const found = await coveringSettings(tunables, allowed);
  expect(await Promise.all(found.map(allowed))).not.toContain(false);
  expect(has(found, { A: 4, B: 8 })).toBe(true);
  expect(has(found, { B: 16, C: 2 })).toBe(true);
  expect(has(found, { A: 4, D: 2 })).toBe(true);
});
