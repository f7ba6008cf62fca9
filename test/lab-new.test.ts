/** `lab new`: what it writes works at once, and is found everywhere without being listed. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRadv } from '../packages/bench/src/isa/isa-radv.ts';
import { CheckoutCopy, type Run } from './checkout-copy.ts';

let copy: CheckoutCopy;
beforeAll(() => {
  copy = new CheckoutCopy();
});
afterAll(() => copy.dispose());

const lab = (line: string) => copy.run(`node packages/bench/bin/lab.js ${line}`);
const right = ({ code, out, err }: Run) => {
  expect([code, code === 0 || out + err]).toEqual([0, true]);
  return out;
};

const KERNEL = ['shaders/a_b.wgsl', 'packages/kernels/src/defs/a_b.ts'];
const LONG = 'a_kernel_whose_name_is_about_as_long_as_names_of_kernels_ever_get_and_longer';
const OP = [
  `shaders/${LONG}.wgsl`,
  `packages/kernels/src/defs/${LONG}.ts`,
  `shaders/${LONG}_backward.wgsl`,
  `packages/kernels/src/defs/${LONG}_backward.ts`,
  `packages/kernels/src/ops/${LONG}.ts`,
  `packages/kernels/src/gradients/${LONG}.ts`,
  `packages/kernels/test/ops/${LONG}.test.ts`,
];
const camel = LONG.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

it('writes two files, says so, and names three commands', () => {
  const out = right(lab('new a_b'));
  expect([...out.matchAll(/^wrote (\S+)/gm)].map(([, path]) => path)).toEqual(KERNEL);
  for (const path of KERNEL) expect(copy.has(path)).toBe(true);
  expect([...out.matchAll(/^ {2}npm run (.*?) +#/gm)].map(([, command]) => command)).toEqual([
    'lab -- a_b',
    'lab -- mutate a_b',
    'lab -- tune a_b',
  ]);
});

it('with an op and its gradient seven, whatever the length of the name', () => {
  const out = right(lab(`new ${LONG} --differentiable`));
  expect([...out.matchAll(/^wrote (\S+)/gm)].map(([, path]) => path)).toEqual(OP);
});

it('all of it is in style and compiles', () => {
  right(copy.run(`npx biome check ${[...KERNEL, ...OP].filter((path) => path.endsWith('.ts')).join(' ')}`));
  right(copy.run('npx tsc -p test'));
});

it.each(['a_b', LONG, `${LONG}_backward`])('%s passes its check, and no planted mistake lives', (kernel) => {
  const { verdict, checks } = JSON.parse(right(lab(`${kernel} --once --json`)));
  expect(verdict).toBe('right');
  const names = checks.map(({ name }: { name: string }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['compiles', 'first', 'named settings', 'all pairs of settings']),
  );
  expect(checks.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
  expect(right(lab(`mutate ${kernel}`))).toMatch(/^[1-9]\d* killed, 0 explained, 0 live/m);
});

it('the tests find them: kernels and gradient', () => {
  const out = right(
    copy.run(
      'npx vitest run --project node packages/kernels/test/kernels.test.ts packages/kernels/test/ops -t "a_b|AKernel"',
    ),
  );
  expect(out).toMatch(/^\d+ passed, 0 failed/m);
});

it('they are exported from @hrm-webgpu/kernels, with their gradient', () => {
  writeFileSync(
    join(copy.folder, 'use.mjs'),
    `import { backward, openDevice, Tensor } from '@hrm-webgpu/core';
import { aBKernel, ${camel}, ${camel}BackwardKernel, gradientRules, launch } from '@hrm-webgpu/kernels';
const device = await openDevice();
const x = Tensor.from(device, Float32Array.of(1, -2, 3), [3], true);
const y = Tensor.empty(device, [3]);
launch(device, aBKernel, { x, y }, { length: 3 });
const dy = Tensor.from(device, Float32Array.of(1, 1, 2));
const gradients = device.scope(() => backward(device, [{ of: ${camel}(x), gradient: dy }], gradientRules));
console.log(await y.read().then(String), await gradients.get(x).read().then(String), ${camel}BackwardKernel.name);
device.close();
`,
  );
  expect(right(copy.run('node use.mjs'))).toMatch(`1,4,9 2,-4,12 ${LONG}_backward`);
});

it('they can be tuned, at the shapes of their benchmark and others', () => {
  const { tuned } = JSON.parse(right(lab('tune a_b --json --shape length=1000 --shape length=4096')));
  expect(tuned.map(({ key }: { key: string }) => key)).toEqual(['a_b length=1000', 'a_b length=4096']);
  for (const { tried, ms } of tuned) expect([tried, ms > 0]).toEqual([3, true]);
  expect(right(lab('tune a_b'))).toMatch(/^a_b length=335872$/m);
});

it('bench knows them', () => {
  expect(right(copy.run('node packages/bench/bin/bench.js kernel --help'))).toMatch(/\ba_b\b/);
});

it('bench isa shows them', (context) => {
  try {
    findRadv();
  } catch (error) {
    context.skip((error as Error).message);
  }
  expect(right(copy.run('node packages/bench/bin/bench.js isa a_b'))).toMatch(/^a_b .* no loop/m);
});

it('the reference has them', () => {
  right(copy.run('node scripts/kernel-reference.mjs --check'));
  const page = right(copy.run('cat docs/kernel-reference.md'));
  expect(page).toMatch(/^## a_b$/m);
  expect(page).toContain(`- gradient: of \`${camel}\`: [${LONG}_backward](#${LONG}_backward)`);
  expect(page).toContain('- used by: nothing here');
});

describe('refuses', () => {
  it.each([
    ['relu', /there is a kernel 'relu': shaders\/relu\.wgsl/],
    ['re_lu', /there is a kernel 'relu'/],
    ['a_b', /there is a kernel 'a_b'/],
    [
      'linear --differentiable',
      /an op cannot be called 'linear': @hrm-webgpu\/kernels exports another thing/,
    ],
    ['network --differentiable', /there is a file packages\/kernels\/src\/ops\/network\.ts/],
    ['softmax_ --differentiable', /'softmax_' is no name for a kernel: expected lower-case words/],
    ['Row', /'Row' is no name for a kernel/],
    ['2d', /'2d' is no name for a kernel/],
    ['../x', /'\.\.\/x' is no name for a kernel/],
    ['class', /a kernel cannot be called 'class': the word has another meaning/],
    ['mutate', /a kernel cannot be called 'mutate'/],
    ['uniform_array', /a kernel cannot be called 'uniform_array'/],
    ['', /new: give one name/],
    ['c d', /new: give one name/],
    ['c --differentable', /Unknown option '--differentable'/],
  ])('new %s', (line, message) => {
    const { code, err } = lab(`new ${line}`);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it.each([
    ['add', /add has nothing to tune: name the values of a constant in shaders\/add\.wgsl/],
    ['ad', /there is no kernel 'ad'/],
    [
      'softmax --shape n=3',
      /--shape n=3: expected NAME=NUMBER with one of softmax's parameters: rows, columns/,
    ],
  ])('tune %s', (line, message) => {
    const { code, err } = lab(`tune ${line}`);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

it('tune finds the value that is faster', () => {
  const path = join(copy.folder, 'shaders/a_b.wgsl');
  const slow = readFileSync(path, 'utf8').replace(/^const GROUP.*$/m, 'const GROUP: u32 = 1; // tune: 1 64');
  writeFileSync(path, slow);
  right(copy.run('node scripts/build.mjs'));
  const { tuned } = JSON.parse(right(lab('tune a_b --json')));
  expect(tuned).toMatchObject([
    { choice: { kernel: 'a_b', settings: { GROUP: 64 } }, tried: 1, rejected: [] },
  ]);
  expect(tuned[0].ms).toBeLessThan(tuned[0].standardMs / 2);
});

it('the reference is found to be out of date when a kernel has changed', () => {
  const { code, err } = copy.run('node scripts/kernel-reference.mjs --check');
  expect([code, err.trim()]).toEqual([
    1,
    'docs/kernel-reference.md is not what the kernels say; run: npm run reference',
  ]);
});

it('where the project does not build, says what was written and what the compiler says', () => {
  appendFileSync(join(copy.folder, 'packages/kernels/src/defs/a_b.ts'), 'const length: number = text;\n');
  const { code, out, err } = lab('new c_d');
  expect(out).toMatch(/^wrote shaders\/c_d\.wgsl /m);
  expect(err).toMatch(/defs\/a_b\.ts.*Type 'string' is not assignable to type 'number'/);
  expect(code).toBe(2);
});
