/** What the keys of an object must hold that a file brings. */
import { valueText } from './quote.ts';

/** What is expected of a value, in words and as a test; of an object, the rules of its keys. */
export type Rule = readonly [expected: string, test: (value: unknown) => boolean, inside?: Rules<string>];

/** For each key its rule. */
export type Rules<K extends string> = Readonly<Record<K, Rule>>;

export const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isPositive = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
export const isText = (value: unknown) => typeof value === 'string';
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const RULES = {
  count: ['a whole number from 0', isCount],
  positive: ['a whole number from 1', isPositive],
  share: ['a number from 0 to 1', (value) => (value as number) >= 0 && (value as number) <= 1],
  finite: ['a number', Number.isFinite],
  text: ['text', isText],
  flag: ['true or false', (value) => typeof value === 'boolean'],
} as const satisfies Record<string, Rule>;

/** A rule for values that may be null, too. */
export const orNull = ([expected, test, inside]: Rule): Rule => [
  `${expected}, or null`,
  (value) => value === null || test(value),
  inside,
];

/** A rule for an object whose keys have rules, all of which are needed. */
export const recordOf = <K extends string>(rules: Rules<K>): Rule => [
  `an object with ${Object.keys(rules).join(', ')}`,
  (value) => isRecord(value) && faultIn(value, rules) === undefined,
  rules,
];

/** What is wrong with the first key that breaks its rule, `key is X, expected Y`; undefined where all keep them. */
export function faultIn<K extends string>(
  value: Readonly<Record<string, unknown>>,
  rules: Rules<K>,
  place = '',
): string | undefined {
  for (const [key, [expected, test, inside]] of Object.entries<Rule>(rules)) {
    const found = Object.hasOwn(value, key) ? value[key] : undefined;
    if (test(found)) continue;
    if (inside && isRecord(found)) return faultIn(found, inside, `${place}${key}.`);
    const what = found === undefined ? 'is missing' : `is ${valueText(found)}`;
    return `${place}${key} ${what}, expected ${expected}`;
  }
  return undefined;
}
