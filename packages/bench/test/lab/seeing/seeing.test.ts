/** What runs, as the lab's user sees it. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesSource, openTensorFile, type TensorFile } from 'hrm-webgpu';
import { describe, expect, it } from 'vitest';
import { compareCommand } from '../../../src/lab/seeing/compare-command.ts';
import { diffCommand } from '../../../src/lab/seeing/diff/diff-command.ts';
import { dumpCommand } from '../../../src/lab/seeing/dump-command.ts';
import { showCommand } from '../../../src/lab/seeing/show-command.ts';
import { traceCommand } from '../../../src/lab/seeing/trace/trace-command.ts';
import { expectNarrow, folder, inRoot, lab, shaders, wrongSwiglu } from './lab-run.ts';

describe('show', () => {
  it('tells everything about a kernel at a shape', async () => {
    const shape = ['--shape', 'm=64,n=96,k=32,a_row=32', '--set', 'TILE_K=16,THREADS_Y=16'];
    const { code, out } = await lab(
      'show',
      'matmul_workgroup',
      ...shape,
      '--json',
      '--no-roofline',
      '--no-isa',
    );
    expect(code).toBe(0);
    const facts = JSON.parse(out);
    expect(facts).toMatchObject({
      kernel: 'matmul_workgroup',
      params: { m: 64, n: 96, k: 32 },
      constants: { TILE_K: 16 },
      threads: [16, 16, 1],
      flops: 2 * 64 * 96 * 32,
      bytes: 4 * (64 * 32 + 32 * 96 + 64 * 96),
      bindings: [
        { binding: 'a', index: 1, access: 'read', type: 'array<vec4<f32>>', bytes: 4 * 64 * 32 },
        { binding: 'b', index: 2, access: 'read', type: 'array<vec4<f32>>', bytes: 4 * 32 * 96 },
        { binding: 'c', index: 3, access: 'read_write', type: 'array<vec4<f32>>', bytes: 4 * 64 * 96 },
      ],
    });
    // 8 rows a thread, 16 threads down: 128 rows of 16 terms; 16 terms of 16 packs.
    expect(facts.memory.map(({ name, bytes }: { name: string; bytes: number }) => [name, bytes])).toEqual([
      ['tile_a', 4 * 128 * 16],
      ['tile_b', 16 * 16 * 16],
    ]);
    expect(facts.text).toContain('const TILE_K: u32 = 16;');
    expect(facts.intensity).toBeCloseTo(facts.flops / facts.bytes, 6);
  });

  it.each([
    [['nothing'], /there is no kernel 'nothing'/],
    [
      ['add', '--shape', 'rows=3'],
      /--shape rows=3: expected NAME=NUMBER with one of add's parameters: length/,
    ],
    [
      ['add', '--set', 'ROWS=3'],
      /--set ROWS=3: expected NAME=VALUE with one of add's constants: pack, PACK, GROUP/,
    ],
    [['matmul_workgroup', '--set', 'ROWS=3'], /const assertion failed/],
    [[], /give one kernel/],
  ])('%j is one message', async (args, message) => {
    await expect(showCommand.run(args)).rejects.toThrow(message);
  });
});

describe('trace', () => {
  it('times every dispatch of a step, and writes a trace', async () => {
    const file = join(folder, 'trace.json');
    const { code, out } = await lab('trace', '--repeats', '3', '--out', file, '--json');
    expect(code).toBe(0);
    const { dispatches, repeats, totalMs } = JSON.parse(out);
    expect(repeats).toBe(3);
    expect(dispatches.length).toBeGreaterThan(100);
    const sum = dispatches.reduce((total: number, { ms = 0 }) => total + ms, 0);
    expect(sum).toBeCloseTo(totalMs, 6);
    const { traceEvents, displayTimeUnit } = JSON.parse(readFileSync(file, 'utf8'));
    expect(displayTimeUnit).toBe('ms');
    const shown = traceEvents.filter(({ ph }: { ph: string }) => ph === 'X');
    expect(shown.length).toBeGreaterThan(0.9 * dispatches.length);
    // In order, and none begins before the one before it has ended.
    for (let i = 1; i < shown.length; i++)
      expect(shown[i].ts).toBeGreaterThanOrEqual(shown[i - 1].ts + shown[i - 1].dur - 0.01);
    const product = shown.find(({ name }: { name: string }) => name.startsWith('matmul'));
    expect(product.args).toMatchObject({
      op: expect.stringMatching(/^linear\.\d+$/),
      flops: expect.any(Number),
    });
    expect(product.args.shape).toMatch(/^m=\d+ n=\d+ k=\d+/);
  });

  it('prints a table of 80 columns', async () => {
    const { code, out } = await lab('trace', '--forward', '--rows', '1', '--top', '5');
    expect(code).toBe(0);
    expectNarrow(out);
    expect(out).toMatch(
      /^evaluation call of tiny, 1 puzzle: \d+ dispatches, [\d.]+ ms in kernels, adding\s+up\s+their medians/,
    );
    expect([...out.matchAll(/ [\d.]+ %$/gm)].length).toBe(5);
  });
});

describe('dump', () => {
  const read = async (file: string): Promise<TensorFile> =>
    openTensorFile(bytesSource(new Uint8Array(readFileSync(file)), file));

  it('writes what an op was given and what it made of it', async () => {
    const file = join(folder, 'swiglu.safetensors');
    const { code, out } = await lab('dump', 'linear.2', 'swiglu.0', '--step', '3', '--out', file);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        /^linear\.2 \[4, 17, 512\] f32, of launch \d+, matmul\w*\nswiglu\.0 \[4, 17, 256\] f32, of launch \d+, swiglu\n$/,
      ),
    ]);
    const tensors = await read(file);
    expect(tensors.metadata).toEqual({ step: '3' });
    const [gateUp, y] = [await tensors.readF32('linear.2'), await tensors.readF32('swiglu.0')];
    let largest = 0;
    y.forEach((value, i) => {
      const [row, column] = [Math.floor(i / 256), i % 256];
      const gate = gateUp[512 * row + column];
      const expected = (gate / (1 + Math.exp(-gate))) * gateUp[512 * row + 256 + column];
      expect(Math.abs(value - expected)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
      largest = Math.max(largest, Math.abs(expected));
    });
    expect(largest).toBeGreaterThan(0.1);
  });

  it('knows weights and gradients by the names of the model', async () => {
    const file = join(folder, 'head.safetensors');
    const { out } = await lab('dump', '--list');
    const moment = out.match(
      /^(adam_atan2\.\d+):p\s+lm_head\.weight\b|^(adam_atan2\.\d+):p lm_head\.weight/m,
    );
    const adam = moment?.[1] ?? moment?.[2];
    expect(await lab('dump', 'lm_head.weight.grad', `${adam}:m`, '--out', file)).toMatchObject({ code: 0 });
    const tensors = await read(file);
    const [g, first] = [await tensors.readF32('lm_head.weight.grad'), await tensors.readF32(`${adam}:m`)];
    expect(g.some((value) => value !== 0)).toBe(true);
    // In the first step the first moment is a tenth of the gradient.
    g.forEach((value, i) => {
      expect(first[i]).toBeCloseTo(0.1 * value, 6);
    });
  });

  it('writes npy', async () => {
    const file = join(folder, 'halted.npy');
    expect(await lab('dump', 'act_step.0:halted', '--out', file)).toMatchObject({ code: 0 });
    const bytes = readFileSync(file);
    const header = bytes.subarray(10, 128).toString('latin1');
    expect(header).toMatch(/^\{'descr': '<u4', 'fortran_order': False, 'shape': \(4,\), \} +\n$/);
    expect(bytes.length).toBe(128 + 4 * 4);
  });

  it('gives another tensor at another step', async () => {
    const files = ['1', '2'].map((step) => ({ step, file: join(folder, `logits-${step}.npy`) }));
    for (const { step, file } of files)
      expect(await lab('dump', 'logits', '--step', step, '--out', file)).toMatchObject({ code: 0 });
    const [one, two] = files.map(({ file }) => readFileSync(file));
    expect(one.length).toBe(two.length);
    expect(one.equals(two)).toBe(false);
  });

  it.each([
    [
      ['linear.999', '--out', 'a.npy'],
      /the step has no tensor 'linear.999'; of linear there are linear.0 to linear/,
    ],
    [['logits', '--out', 'a.txt'], /--out a.txt: expected FILE.npy or FILE.safetensors/],
    [
      ['adam_atan2.0', '--out', 'a.npy'],
      /these are 3 tensors \(adam_atan2.0:p, adam_atan2.0:m, adam_atan2.0:v\), but .npy holds one/,
    ],
    [['--out', 'a.npy'], /give the names of tensors, or --list/],
    [['logits', '--out', 'a.npy', '--model', 'nothing'], /--model nothing: expected tiny, small, full/],
    [['logits', '--out', 'a.npy', '--step', '0'], /--step 0: expected a whole number of at least 1/],
  ])('%j is one message', async (args, message) => {
    await expect(dumpCommand.run(args)).rejects.toThrow(message);
  });
});

describe('diff', () => {
  it.each([['recorded', 'eager', '--step', '2']])('%j is the same', async (...args) => {
    const { code, out } = await lab('diff', ...args);
    expect(out).toMatch(/^the same: all \d{2,} tensors (have the same bits|are within)/m);
    expect(code).toBe(0);
  });

  it('names the first launch that another shader changes, and how much', async () => {
    const wrong = wrongSwiglu();
    const { code, out } = await lab('diff', 'ours', wrong, '--json');
    expect(code).toBe(1);
    const { first, compared, paired } = JSON.parse(out);
    expect(first.a).toMatchObject({ name: 'swiglu.0', kernel: 'swiglu', binding: 'y', shape: [4, 17, 256] });
    expect(compared).toBeLessThan(paired);
    expect(first.difference.count).toBeGreaterThan(0.9 * 4 * 17 * 256);
    // The sigmoid is 1/1.01 to 1 times what it was.
    expect(first.difference.relative).toBeGreaterThan(1e-3);
    expect(first.difference.relative).toBeLessThan(1e-2);
  });

  it('runs another build', async () => {
    const other = join(folder, 'checkout');
    for (const name of ['core', 'kernels', 'hrm', 'bench'])
      for (const part of ['package.json', 'dist'])
        cpSync(inRoot(`packages/${name}/${part}`), join(other, 'packages', name, part), { recursive: true });
    mkdirSync(join(other, 'node_modules/@hrm-webgpu'), { recursive: true });
    for (const [link, target] of [
      ['@hrm-webgpu/core', join(other, 'packages/core')],
      ['@hrm-webgpu/kernels', join(other, 'packages/kernels')],
      ['hrm-webgpu', join(other, 'packages/hrm')],
      ['webgpu', inRoot('node_modules/webgpu')],
    ])
      symlinkSync(target, join(other, 'node_modules', link));
    const rules = join(other, 'packages/kernels/dist/ops/norm.js');
    const text = readFileSync(rules, 'utf8');
    expect(text).toContain('eps }');
    writeFileSync(rules, text.replace('eps }', 'eps: 2 * eps }'));
    const { code, out } = await lab('diff', 'ours', other, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out).first.a.name).toBe('residualRmsNorm.0');
  });

  it.each([
    [['ours'], /give two variants/],
    [['ours', 'theirs'], /^'theirs': expected ours, recorded, eager/],
    [['ours', folder], /holds no .wgsl files, and is no checkout/],
    [['ours', 'driver=/nowhere.json'], /there is no such file/],
    [['ours', 'ours', '--allow', 'much'], /--allow much: expected a number/],
  ])('%j is one message', async (args, message) => {
    await expect(diffCommand.run(args)).rejects.toThrow(message);
  });

  it.each(['adapter=nothing', 'adapter=nothing,class=gpu'])(
    '%s says that there is no such adapter',
    async (variant) => {
      const { code, err } = await lab('diff', 'ours', variant);
      expect(code).toBe(2);
      expect(err).toContain(`lab: ${variant}: there is no adapter whose name has 'nothing' in it; there is `);
    },
  );

  it('says so where a shader does not compile', async () => {
    const broken = shaders('broken', 'swiglu', (text) => text.replace('let up', 'let upward'));
    const { code, err } = await lab('diff', 'ours', broken);
    expect(code).toBe(2);
    expect(err).toMatch(/swiglu\.wgsl:25:51: unresolved value 'up'/);
  });
});

describe('compare', () => {
  const compare = (...args: string[]) => lab('compare', ...args, '--json', '--seconds', '2');

  it('does not time what is wrong', async () => {
    const { code, out } = await compare('ours', wrongSwiglu());
    expect(code).toBe(1);
    const { sides, verdict, ratio } = JSON.parse(out);
    expect(verdict).toBe('wrong');
    expect(ratio).toBeUndefined();
    expect(sides[0].problems).toEqual([]);
    expect(sides[0].parity.worst).toBeLessThanOrEqual(1);
    expect(sides[1].problems[0]).toMatch(/^swiglu: y: \d+ of \d+ wrong/);
  });
});

it.each([
  ['show', showCommand],
  ['trace', traceCommand],
  ['dump', dumpCommand],
  ['diff', diffCommand],
  ['compare', compareCommand],
])('%s tells what it does', (name, { help, summary }) => {
  expect(help).toMatch(new RegExp(`^usage: npm run lab -- ${name} `));
  for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  expect(`  ${name.padEnd(10)}${summary}`.length).toBeLessThanOrEqual(100);
});

it('a mistake in the command line is exit code 2, without a stack', async () => {
  const { code, out, err } = await lab('dump', 'logits', '--out', 'a.txt');
  expect([code, out, err]).toEqual([2, '', 'lab: --out a.txt: expected FILE.npy or FILE.safetensors\n']);
});
