/** What packages/kernels exports is read from its files: nothing is listed by hand. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { exportModules } from '../../../scripts/kernel-exports.mjs';
import * as kernels from '../src/index.ts';

const inSource = (path: string) => new URL(`../src/${path}`, import.meta.url);
const exported: Record<string, unknown> = kernels;

it('every kernel, by its name', () => {
  for (const name of kernels.shaderNames) {
    const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    expect(exported[`${camel}Kernel`], name).toMatchObject({ name });
  }
});

it('every gradient rule, and with it its op', () => {
  const files = readdirSync(inSource('gradients')).map((file) =>
    readFileSync(inSource(`gradients/${file}`), 'utf8'),
  );
  const ops = files.flatMap((text) =>
    [...text.matchAll(/export const (\w+)Gradient\b/g)].map(([, op]) => op),
  );
  expect(ops.length).toBeGreaterThan(10);
  expect(Object.keys(kernels.gradientRules.rules).sort()).toEqual([...ops, 'add', 'reshape'].sort());
  for (const op of ops) expect(exported[op], op).toBeTypeOf('function');
});

it('nothing that is marked as internal', () => {
  for (const name of ['expectShape', 'rowsOf', 'rotate', 'window'])
    expect(exported[name], name).toBeUndefined();
});

const folder = mkdtempSync(join(tmpdir(), 'hrm-exports-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('types too, however a file is laid out; a shader without a definition is left to the compiler', () => {
  for (const name of ['defs', 'ops', 'gradients']) mkdirSync(join(folder, name));
  writeFileSync(
    join(folder, 'defs/a_b.ts'),
    'export interface ABParams {}\nexport const aB: Kernel<ABParams> =\n  {};\nexport const check = 1;\n',
  );
  writeFileSync(
    join(folder, 'ops/a-b.ts'),
    '/** For users. */\nexport function aB() {}\n/**\n * @internal\n */\nexport function within() {}\n/** A type. */\nexport type AB = 1;\n',
  );
  writeFileSync(join(folder, 'gradients/a-b.ts'), 'export const aBGradient: GradientRule =\n  () => [];\n');
  const modules = exportModules(folder, ['a_b', 'gone']);
  expect(modules['exports.gen.ts'].split('\n').slice(1)).toEqual([
    "export { aB as aBKernel } from './defs/a_b.ts';",
    "export type { ABParams } from './defs/a_b.ts';",
    "export { aB, type AB } from './ops/a-b.ts';",
    '',
  ]);
  expect(modules['rules.gen.ts']).toContain('export const rules = {\n  aB: aBGradient,\n};');
});
