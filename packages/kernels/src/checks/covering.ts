/** Settings of tunables that together hold every pair of values: what two of them do to each other shows in one of these. */

import type { ConstantValues, Device, ParamValues } from '@hrm-webgpu/core';
import { type Kernel, planLaunch } from '../kernel.ts';
import type { KernelCheck } from './check.ts';
import { instrumentedOf } from './instrumented.ts';
import { tunablesIn } from './tunables.ts';

type Settings = Record<string, number>;

/** Few settings of a kernel's `// tune:` constants, such that every two values that its `const_assert`s allow together in its first case occur together. */
export function coveringSettingsOf(
  device: Device,
  { kernel, cases }: KernelCheck<ParamValues>,
): Promise<Settings[]> {
  return coveringSettings(tunablesIn(kernel.name, kernel.text), (settings) =>
    allows(device, kernel, cases[0], settings),
  );
}

/** The settings of the smallest product that a kernel's `const_assert`s allow in a shape: small tiles, which drivers compile soonest. */
export async function leanSettingsOf(
  device: Device,
  { kernel }: KernelCheck<ParamValues>,
  params: ParamValues,
): Promise<Settings | undefined> {
  const product = (settings: Settings) => Object.values(settings).reduce((a, b) => a * b, 1);
  const all = allSettings(tunablesIn(kernel.name, kernel.text)).sort((a, b) => product(a) - product(b));
  for (const settings of all) if (await allows(device, kernel, params, settings)) return settings;
  return undefined;
}

/** Whether a kernel's `const_assert`s allow settings in a shape, from which constants may follow: the width of a pack, the tiles of wide heads. */
export async function allows(
  device: Device,
  kernel: Kernel<ParamValues>,
  params: ParamValues,
  settings: ConstantValues,
): Promise<boolean> {
  const { constants } = planLaunch(kernel, params, settings, device.adapter.class);
  // As it will be checked, so that the check finds it compiled.
  const refused = await device.program(instrumentedOf(kernel, device), constants).attempt();
  return !refused?.includes('const assertion failed');
}

/**
 * Settings in which every value of each tunable meets every value of every other one at least once, as far as those that
 * are allowed permit. The number is about that of the two tunables with most values multiplied, not that of all.
 *
 * @param allowed whether a kernel can have these settings: some exclude each other by its `const_assert`s
 */
export async function coveringSettings(
  tunables: Readonly<Record<string, readonly number[]>>,
  allowed: (settings: Settings) => Promise<boolean>,
): Promise<Settings[]> {
  const names = Object.keys(tunables);
  const open = allPairs(tunables);
  const found: Settings[] = [];
  const refused = new Set<string>();
  while (open.size > 0) {
    const [pair] = open;
    let next: Settings | undefined;
    for (const candidate of candidates(tunables, names, pair, open)) {
      const key = JSON.stringify(candidate);
      if (refused.has(key)) continue;
      if (await allowed(candidate)) {
        next = candidate;
        break;
      }
      refused.add(key);
    }
    if (!next)
      open.delete(pair); // nothing that is allowed has these two
    else {
      found.push(next);
      for (const covered of pairsOf(next)) open.delete(covered);
    }
  }
  return found;
}

/** Settings with a pair of values, those that cover most open pairs first. */
function candidates(
  tunables: Readonly<Record<string, readonly number[]>>,
  names: readonly string[],
  pair: string,
  open: ReadonlySet<string>,
): Settings[] {
  const fixed: Settings = Object.fromEntries(JSON.parse(pair));
  const valuesOf = (name: string) => (Object.hasOwn(fixed, name) ? [fixed[name]] : tunables[name]);
  const all = allSettings(Object.fromEntries(names.map((name) => [name, valuesOf(name)])));
  const gain = (settings: Settings) => pairsOf(settings).filter((one) => open.has(one)).length;
  return all
    .map((settings) => ({ settings, gain: gain(settings) }))
    .sort((a, b) => b.gain - a.gain)
    .map(({ settings }) => settings);
}

function allSettings(tunables: Readonly<Record<string, readonly number[]>>): Settings[] {
  let all: Settings[] = [{}];
  for (const [name, values] of Object.entries(tunables))
    all = all.flatMap((settings) => values.map((value) => ({ ...settings, [name]: value })));
  return all;
}

const allPairs = (tunables: Readonly<Record<string, readonly number[]>>) =>
  new Set(allSettings(tunables).flatMap(pairsOf));

/** Each two values of settings, named; each one, where there is no other. */
function pairsOf(settings: Settings): string[] {
  const entries = Object.entries(settings);
  if (entries.length === 1) return [JSON.stringify(entries)];
  return entries.flatMap((one, i) => entries.slice(i + 1).map((other) => JSON.stringify([one, other])));
}
