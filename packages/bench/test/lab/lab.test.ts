/** The lab, as its user runs it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checks } from '@hrm-webgpu/kernels/checks';
import { describe, expect, it } from 'vitest';
import { commit, edit, folder, inRoot, lab, once, STORE } from './lab-command.ts';

describe('once', () => {
  it.each<[string, (text: string) => string, RegExp]>([
    [
      'that does not compile',
      (text) => text.replace('b[i];', 'bb[i];'),
      /^\S+\/add\.wgsl:18:19: unresolved value 'bb'\n {2}18 \| .*\n {5}\| {19}\^/,
    ],
    [
      'that is off by one',
      (text) => text.replace('b[i];', 'b[i + 1];'),
      /^c: \d+ of \d+ wrong.*; b\[\d+\] is out of its bounds\nat length 1000$/s,
    ],
    [
      'that loses precision',
      (text) => text.replace(STORE, 'c[i] = quantizeToF16(a[i] + b[i]);'),
      /^c: \d+ of 1000 wrong.*off by .* ulp\)/,
    ],
    [
      'that writes out of bounds',
      (text) => text.replace(/if \(i < [^)]*\) \{/, 'if (true) {'),
      /is out of its bounds/,
    ],
    [
      'without its entry point',
      (text) => text.replace('fn main', 'fn mian'),
      /^\S+\/add\.wgsl: has no entry point 'fn main\(…\)'$/,
    ],
    [
      'of another interface',
      (text) => text.replace('length: u32', 'length: u32, extra: u32'),
      /^\S+\/add\.wgsl has the parameters length: u32, extra: u32, expected length: u32$/,
    ],
    ['that is half written', (text) => text.slice(0, 300), /^\S+\/add\.wgsl:10:26: missing closing '>'/],
  ])('finds one %s', async (_, change, problem) => {
    edit(change);
    const { code, out } = await once();
    expect(JSON.parse(out)).toMatchObject({ verdict: 'wrong', problem: expect.stringMatching(problem) });
    expect(code).toBe(1);
  });

  it('finds a barrier that is missing', async () => {
    const text = readFileSync(inRoot('shaders/residual_rms_norm.wgsl'), 'utf8');
    writeFileSync(join(folder, 'residual_rms_norm.wgsl'), text.replaceAll('workgroupBarrier();', ''));
    const { code, out } = await lab('residual_rms_norm', '--once', '--shaders', folder, '--shape', 'rows=64');
    expect(code).toBe(1);
    expect(out).toMatch(/^residual_rms_norm wrong$/m);
  });
});

describe('a mistake in the command line', () => {
  it.each([
    [['ad', '--once'], /there is no kernel 'ad' in shaders\/; there is .*add/],
    [
      ['add', '--shape', 'size=3'],
      /--shape size=3: expected NAME=NUMBER with one of add's parameters: length/,
    ],
    [['add', '--shape', 'length=many'], /--shape length=many: expected NAME=NUMBER/],
    [
      ['add', '--shape', 'length=0'],
      /--shape length=0: length is a u32, expected a whole number from 1 to 4294967295/,
    ],
    [['add', '--shape', 'length=-4'], /length is a u32/],
    [['add', '--shape', 'length=1.5'], /length is a u32/],
    [['add', '--shape', 'length=1e12'], /length is a u32/],
    [['add', '--shape', 'length='], /--shape length=: expected NAME=NUMBER/],
    [
      ['add', '--shape', 'length=4000000000'],
      /--shape: add would read and write 44\.7 GiB; the lab tries up to 1/,
    ],
    [['show', 'add', '--shape', 'length=0'], /length is a u32/],
    [['add', '--once', '--against', ''], /--against: name a version, such as HEAD~1/],
    [['add', '--tune', 'FOO=1'], /--tune FOO: expected one of add's constants: pack, PACK, GROUP/],
    [['add', '--json'], /--json needs --once/],
    [['add', '--tune', 'GROUP=a,b'], /--tune GROUP=a,b: expected NAME=N,N,…/],
    [['add', '--once', '--adapter', 'none'], /no adapter whose name has 'none' in it; there is \w+/],
    [['add', '--onse'], /Unknown option '--onse'/],
    [['add', 'fill'], /give one kernel/],
    [['mutate', 'nothing'], /there is no kernel 'nothing'/],
    [['mutate', 'add', '--slice', '3/2'], /--slice 3\/2: expected I\/N/],
  ])('%j is one message and exit code 2', async (args, message) => {
    const { code, err } = await lab(...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

it('--against a version that is in no repository is one message and exit code 2', async () => {
  commit();
  const { code, err } = await once('--against', 'nosuch');
  expect(err).toMatch(/--against nosuch: invalid object name 'nosuch'/);
  expect(code).toBe(2);
});

it('mutate finds all mistakes in a kernel, or says which live', async () => {
  const { code, out } = await lab('mutate', 'add', 'rope', '--json');
  expect(JSON.parse(out)).toMatchObject({ lives: 0, stale: [] });
  expect(code).toBe(0);
});

it('mutate finds a sixth of the mistakes in every fourth kernel of those that compile soon', async () => {
  const slow = /^attention|^matmul|softmax|mean|norm/;
  const names = Object.keys(checks)
    .filter((name) => !slow.test(name))
    .filter((_, i) => i % 4 === 1);
  expect(names.length).toBeGreaterThan(7);
  const { code, out } = await lab('mutate', ...names, '--slice', '2/6', '--json');
  expect(JSON.parse(out)).toMatchObject({ lives: 0, stale: [] });
  expect(code).toBe(0);
});
