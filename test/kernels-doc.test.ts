/** docs/kernels.md, followed to the letter: its files are written, its commands run, in a copy of the checkout. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findRadv } from '../packages/bench/src/isa/isa-radv.ts';
import { CheckoutCopy } from './checkout-copy.ts';

const doc = readFileSync(new URL('../docs/kernels.md', import.meta.url), 'utf8');
/** Blocks for it begin a list that is there. */
const EXPLANATIONS = 'packages/bench/src/lab/mutate/explanations.ts';

interface Step {
  name: string;
  take(copy: CheckoutCopy): void;
}

/** What the reader does, one after the other. */
function steps(): Step[] {
  const prints: string[] = [];
  return [...doc.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].flatMap(
    ([, language, path, text]): Step[] => {
      if (language === 'sh')
        return text
          .trim()
          .split('\n')
          .map((line) => ({ name: line, take: (copy) => run(copy, line, prints) }));
      if (!path) throw new Error(`docs/kernels.md: a block of '${language}' without a file`);
      prints.push(...[...text.matchAll(/^(?:.*;)? ?\/\/ → (.*)$/gm)].map(([, line]) => line));
      return [{ name: path, take: (copy) => write(copy, path, text) }];
    },
  );
}

function write({ folder }: CheckoutCopy, path: string, text: string): void {
  const file = join(folder, path);
  const explained = path === EXPLANATIONS;
  const before = explained ? readFileSync(file, 'utf8') : '';
  const after = explained
    ? before.replace(/^export const explanations.*= \{\n/m, (head) => head + text)
    : text;
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

function run(copy: CheckoutCopy, line: string, prints: readonly string[]): void {
  const { code, out, err } = copy.run(line);
  // While other tests run, the machine may be too noisy for a benchmark to trust its numbers.
  const noisy =
    line.includes(' bench ') && [...out.matchAll(/^FAIL (\w+)/gm)].every(([, what]) => what === 'control');
  expect([code, code === 0 || noisy || out + err]).toEqual([noisy ? code : 0, true]);
  if (line.includes(' bench '))
    for (const name of ['gelu', 'gelu_backward']) expect(out).toMatch(new RegExp(`^${name}\\b`, 'm'));
  if (line.startsWith('node use')) expect(out.trim().split('\n')).toEqual(prints);
}

const all = steps();
let copy: CheckoutCopy;
beforeAll(() => {
  copy = new CheckoutCopy();
});
afterAll(() => copy.dispose());

it('has the steps that it should', () => {
  expect(all.filter(({ name }) => name.includes('/gelu') && !name.includes(' '))).toHaveLength(5);
  const commands = all.map(({ name }) => name).filter((name) => name.includes(' '));
  expect(commands.map((line) => line.split(' ').slice(0, 5).join(' '))).toEqual([
    'npm run lab -- new',
    'npm run lab -- gelu',
    'npm run lab -- gelu_backward',
    'npx vitest run packages/kernels/test/ops/gelu.test.ts',
    'npm run lab -- mutate',
    'npm run lab -- tune',
    'npm run bench -- kernel',
    'npm run bench -- isa',
    'node use-gelu.mjs',
    'npm run reference',
    'npx vitest run --project node',
  ]);
});

it.for(all)('$name', ({ name, take }, context) => {
  if (name.includes(' isa ')) {
    try {
      findRadv();
    } catch (error) {
      context.skip((error as Error).message);
    }
  }
  take(copy);
});

it('what has come of it is in style and compiles', () => {
  run(copy, 'npx biome check packages', []);
  run(copy, 'npx tsc -p test', []);
  run(copy, 'node scripts/kernel-reference.mjs --check', []);
});
