/** A folder of `.wgsl` files makes every command run with its kernels. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDevice, Tensor, UserError } from '@hrm-webgpu/core';
import { add } from '@hrm-webgpu/kernels';
import { checkReplacements } from '@hrm-webgpu/kernels/checks';
import { HRM } from 'hrm-webgpu';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { hrm } from './run-hrm.ts';

const inRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const textOf = (kernel: string) => readFileSync(inRoot(`shaders/${kernel}.wgsl`), 'utf8');
const STORE = 'c[i] = a[i] + b[i];';
const doubled = textOf('add').replace(STORE, 'c[i] = 2 * (a[i] + b[i]);');

const scratch = mkdtempSync(join(tmpdir(), 'hrm-shaders-'));
const folder = join(scratch, 'shaders');
afterAll(() => rmSync(scratch, { recursive: true }));
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});

describe('openDevice({ shaders })', () => {
  it('runs what it is given, and its own of what it is not', async () => {
    using device = await openDevice({ shaders: new Map([['add', doubled]]) });
    const a = Tensor.from(device, Float32Array.of(1, 2, 3));
    expect([...(await add(a, a).readF32())]).toEqual([4, 8, 12]);
  });

  it('goes by the constants of what it is given', async () => {
    // One thread a workgroup: with the grid of 64 most elements would be left alone, or done 64 times.
    const alone = doubled.replace(/const GROUP: u32 = \d+;/, 'const GROUP: u32 = 1;');
    expect(alone).not.toBe(doubled);
    using device = await openDevice({ shaders: new Map([['add', alone]]) });
    const a = Tensor.from(device, new Float32Array(1000).fill(1));
    expect(new Set(await add(a, a).readF32())).toEqual(new Set([4]));
  });

  it('does not believe it unchecked', async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(scratch, 'cache'));
    const wrong = textOf('swiglu').replace('exp(min', 'exp2(min');
    using device = await openDevice({ shaders: new Map([['swiglu', wrong]]) });
    using model = await HRM.load(inRoot('test/fixtures/trained-6x6'), { device, seqLen: 36 });
    await expect(model.solve(new Int32Array(36).fill(1))).rejects.toThrow(/computes swiglu wrongly/);
    vi.unstubAllEnvs();
  });

  it('refuses, at the first use, what has another interface', async () => {
    const changed = doubled.replace('length: u32', 'length: u32, extra: u32');
    using device = await openDevice({ shaders: new Map([['add', changed]]) });
    const a = Tensor.from(device, Float32Array.of(1, 2, 3));
    expect(() => add(a, a)).toThrow(UserError);
    expect(() => add(a, a)).toThrow("add: parameter 'extra' must be a number, got undefined");
  });

  it('refuses, before a model computes, what is no kernel', async () => {
    using device = await openDevice({ shaders: new Map([['plus', doubled]]) });
    using model = await HRM.load(inRoot('test/fixtures/trained-6x6'), { device, seqLen: 36 });
    await expect(model.solve(new Int32Array(36).fill(1))).rejects.toThrow(/^plus\.wgsl: there is no kernel/);
  });
});

describe('checkReplacements', () => {
  it.each<[string, string, RegExp]>([
    ['addd', doubled, /^addd\.wgsl: there is no kernel of that name; there is add$/],
    [
      'add',
      doubled.replaceAll('> c:', '> sum:'),
      /^add\.wgsl has the bindings a \(read\), b \(read\), sum \(read_write\), expected a \(read\), b \(read\), c \(read_write\)$/,
    ],
    [
      'add',
      doubled.replace('length: u32', 'length: u32, scale: f32'),
      /^add\.wgsl has the parameters length: u32, scale: f32, expected length: u32$/,
    ],
    ['add', doubled.replaceAll('PACK', 'WIDTH'), /^add\.wgsl has the constants pack, expected pack, PACK$/],
    [
      'add',
      doubled.replaceAll('GROUP', 'GRP'),
      /^add\.wgsl has the numbers for its grid none, expected GROUP$/,
    ],
    [
      'add',
      doubled.replace('GROUP: u32 = 64', 'GROUP: u32 = 8 * 8'),
      /^add\.wgsl has the numbers for its grid none, expected GROUP$/,
    ],
    ['add', 'nothing', /^add\.wgsl: needs 'struct Params'/],
  ])('refuses %s', (name, text, message) => {
    const check = () => checkReplacements(new Map([[name, text]]));
    expect(check).toThrow(UserError);
    expect(check).toThrow(message);
  });
});

describe('--shaders', () => {
  const fixture = inRoot('test/fixtures/tiny-rope');

  it('a copy of all computes the same', async () => {
    cpSync(inRoot('shaders'), folder, { recursive: true });
    const run = await hrm(['parity', fixture, '--shaders', folder]);
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  });

  it('a mistake in one shows', async () => {
    writeFileSync(
      join(folder, 'residual_rms_norm.wgsl'),
      textOf('residual_rms_norm').replace('* inverse;', '* inverse * 1.01;'),
    );
    const run = await hrm(['parity', fixture, '--shaders', folder]);
    expect(run.code).toBe(1);
    expect(run.stdout).toContain('FAIL');
  });

  it.each<[string, () => void, RegExp]>([
    ['no folder', () => rmSync(folder, { recursive: true }), /no such folder/],
    ['an empty one', () => {}, /holds no \.wgsl files/],
    [
      'a file that is no kernel',
      () => copyFileSync(inRoot('shaders/add.wgsl'), join(folder, 'plus.wgsl')),
      /plus\.wgsl: there is no kernel of that name/,
    ],
  ])('%s is one message and exit code 1', async (_, prepare, message) => {
    prepare();
    for (const command of [
      ['parity', fixture],
      ['solve', inRoot('test/fixtures/trained-6x6'), '.'.repeat(36)],
      ['tune'],
    ]) {
      const run = await hrm([...command, '--shaders', folder]);
      expect(run.stderr).toMatch(message);
      expect(run.code).toBe(1);
    }
  });
});
