/** `hrm inspect` and `hrm export`: no GPU is needed for either. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { f16ToF32, f32ToF16 } from '../packages/hrm/src/formats/dtype.ts';
import { fileSource } from '../packages/hrm/src/formats/files/file-source.node.ts';
import { openTensorFile } from '../packages/hrm/src/formats/open-checkpoint.ts';
import { encodeSafetensors, type TensorToWrite } from '../packages/hrm/src/formats/safetensors.ts';
import { elementCount } from '../packages/hrm/src/formats/tensor-file.ts';
import { parseYaml } from '../packages/hrm/src/formats/yaml/yaml.ts';
import { parameterShapes } from '../packages/hrm/src/model/parameters.ts';
import { parseAllConfig, parseModelConfig } from '../packages/hrm/src/model/parse-config.ts';
import { ruleWeight } from '../packages/hrm/src/parity/rule-weights.ts';
import { formatMetadata, readMeaning } from '../packages/hrm/src/training/checkpoint.ts';
import { hrm } from './run-hrm.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name);
const ESCAPE = '\x1b';

/** A small run of this project: a checkpoint with optimiser state, and what its metadata say. */
const config = parseModelConfig(
  {
    ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 3 },
    ...{ vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 5, forward_dtype: 'bfloat16' },
  },
  'test',
);

function writeRun(name: string, change: (tensors: Map<string, TensorToWrite>) => void = () => {}): string {
  const tensors = new Map<string, TensorToWrite>();
  for (const [key, shape] of parameterShapes(config)) {
    tensors.set(key, { dtype: 'F32', shape, data: ruleWeight(key, shape) });
  }
  tensors.set('optimizer.m.q_head.bias', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) });
  tensors.set('carry.steps', { dtype: 'U32', shape: [3], data: Uint32Array.of(1, 2, 3) });
  change(tensors);
  const path = join(folder, name);
  mkdirSync(path);
  const chunks = encodeSafetensors(tensors, formatMetadata({ config }));
  writeFileSync(join(path, 'checkpoint.safetensors'), Buffer.concat(chunks));
  return path;
}

const json = async (...args: string[]) => {
  const { code, stdout } = await hrm(['inspect', ...args, '--json']);
  return { code, ...JSON.parse(stdout) };
};

describe('hrm inspect', () => {
  it('tells a published checkpoint, its configuration and what follows from its tensors', async () => {
    const found = await json(fixture('trained-6x6'), '--sums');
    expect(found).toMatchObject({
      code: 0,
      format: 'PyTorch',
      problems: [],
      training: null,
      model: { hidden_size: 128, H_layers: 2, L_layers: 2, vocab_size: 8, pos_encodings: 'rope' },
      config: { num_heads: 4, num_puzzle_identifiers: 1 },
      config_from: join(fixture('trained-6x6'), 'all_config.yaml'),
    });
    // From Python, see packages/hrm/test/formats/torch-checkpoint.test.ts.
    const qkv = found.tensors.find(
      ({ name }: { name: string }) => name === 'L_level.layers.1.self_attn.qkv_proj.weight',
    );
    expect(qkv).toMatchObject({ dtype: 'F32', shape: [384, 128], bytes: 196_608, role: 'trunk' });
    expect(qkv.sums).toMatchObject({ count: 49_152, nan: 0, infinite: 0 });
    expect(qkv.sums.sum).toBeCloseTo(1.5294807753041653, 9);
    const elements = (role: string) =>
      found.tensors
        .filter((tensor: { role: string }) => tensor.role === role)
        .reduce((sum: number, { shape }: { shape: number[] }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(found.model.trunk_parameters).toBe(elements('trunk'));
    expect(found.model.puzzle_parameters).toBe(128);
  });

  it('names the weights that it takes of a file that holds more', async () => {
    const path = join(fixture('foreign'), 'ema-protocol5.pt');
    expect(await json(path)).toMatchObject({ part: { taken: 'ema', others: ['epoch', 'model'] } });
    const { stdout } = await hrm(['inspect', path]);
    expect(stdout).toMatch(/^weights +those of "ema"; the file also holds "epoch", "model"$/m);
  });

  it('knows a published checkpoint that was put into a safetensors file with its prefixes', async () => {
    const from = await openTensorFile(await fileSource(join(fixture('tiny-rope'), 'checkpoint')));
    const tensors = new Map<string, TensorToWrite>();
    for (const name of from.names) {
      tensors.set(`_orig_mod.model.inner.${name}`, { ...from.info(name), data: await from.read(name) });
    }
    await from.close();
    const path = join(folder, 'prefixed');
    mkdirSync(path);
    writeFileSync(join(path, 'step_7.safetensors'), Buffer.concat(encodeSafetensors(tensors)));
    copyFileSync(join(fixture('tiny-rope'), 'all_config.yaml'), join(path, 'all_config.yaml'));
    const { model, config } = await json(fixture('tiny-rope'));
    expect(model).not.toBeNull();
    expect(await json(path)).toMatchObject({ code: 0, format: 'safetensors', model, config, problems: [] });
  });

  it('shows learned positions, and bfloat16 as it is stored', async () => {
    const learned = await json(fixture('tiny-learned'));
    expect(learned).toMatchObject({ code: 0, model: { pos_encodings: 'learned' } });
    const { model } = JSON.parse(readFileSync(join(fixture('tiny-learned'), 'config.json'), 'utf8'));
    expect(learned.config.seq_len).toBe(model.seq_len);
    const { tensors } = await json(fixture('tiny-solved'));
    expect(tensors.find(({ name }: { name: string }) => name === 'H_init').dtype).toBe('BF16');
  });

  it("tells this project's files apart by their metadata, in a table", async () => {
    const { code, stdout, stderr } = await hrm(['inspect', writeRun('own')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/own\/checkpoint\.safetensors {2}safetensors, .* tensors/);
    expect(stdout).toMatch(/optimizer 8 B, carry 12 B|carry 12 B.*optimizer 8 B/);
    expect(stdout).toMatch(/from its metadata/);
    expect(stdout).toMatch(/tensors and configuration fit/);
    expect(stdout).toMatch(/^carry\.steps +U32 +\[3\] +12 B$/m);
    expect(
      Math.max(
        ...stdout
          .split('\n')
          .slice(1)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(100);
  });

  it('says what does not fit, and what is not finite, and exits with 1', async () => {
    const run = writeRun('odd', (tensors) => {
      tensors.set('lm_head.weight', { dtype: 'F32', shape: [7, 32], data: new Float32Array(7 * 32) });
      tensors.set('q_head.bias', { dtype: 'F32', shape: [2], data: Float32Array.of(Number.NaN, 1) });
      tensors.delete('L_init');
      const layer = 'L_level.layers.0.mlp.extra.weight';
      tensors.set(layer, { dtype: 'F32', shape: [1], data: new Float32Array(1) });
    });
    const found = await json(run, '--sums');
    expect(found.code).toBe(1);
    expect(found.problems).toEqual([
      expect.stringMatching(/'lm_head\.weight' has shape \[7, 32\].*\[6, 32\]/),
      expect.stringMatching(/no tensor "L_init"/),
      expect.stringMatching(/'L_level\.layers\.0\.mlp\.extra\.weight' has no place/),
      expect.stringMatching(/"q_head\.bias" holds numbers that are not finite: 1 NaN, 0 infinite/),
    ]);
  });

  it.each([
    [1000, /has 1 L layers.*L_layers: 1000/],
    [1_000_000, /a segment would pass \d+ blocks/],
  ])('is not led astray by a configuration with %d layers', async (L_layers, problem) => {
    const path = join(folder, `layers-${L_layers}.safetensors`);
    const tensors = new Map<string, TensorToWrite>();
    for (const [key, shape] of parameterShapes(config)) {
      tensors.set(key, { dtype: 'F32', shape, data: ruleWeight(key, shape) });
    }
    const metadata = formatMetadata({ config: { ...config, L_layers } });
    writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, metadata)));
    const { code, stdout, stderr } = await hrm(['inspect', path]);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(problem);
  });

  it('lists files that are no model, and escapes what would steer a terminal', async () => {
    const path = join(folder, 'strange.safetensors');
    const tensor: TensorToWrite = { dtype: 'U8', shape: [1], data: Uint8Array.of(1) };
    const names = [`${ESCAPE}[2J`, 'plain', `H_level.layers.0.${ESCAPE}c`, '__proto__'];
    writeFileSync(path, Buffer.concat(encodeSafetensors(new Map(names.map((name) => [name, tensor])))));
    const { code, stdout } = await hrm(['inspect', path, '--sums']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/none of its tensors is one of HRM/);
    expect(stdout).toMatch(/^__proto__ +U8 +\[1\]/m);
    expect(stdout).toContain('"\\u001b[2J"');
    expect(stdout).not.toContain(ESCAPE);
  });

  it('refuses damaged, hostile and other files in one message', async () => {
    const cases: [string, Uint8Array | string, RegExp][] = [
      ['page', '<html>', /a web page/],
      ['cut', readFileSync(fixture('tiny-rope/checkpoint')).subarray(0, 5000), /end is missing/],
      [
        'code',
        readFileSync(fixture('tiny-rope/checkpoint'))
          .toString('latin1')
          .replace('_rebuild_tensor_v2', '_rebuild_tensor_v9'),
        /refused pickle.*_rebuild_tensor_v9/,
      ],
      [
        'header',
        Buffer.concat([Buffer.from([255, 255, 255, 255, 255, 255, 255, 127]), Buffer.from('{')]),
        /header/,
      ],
    ];
    for (const [name, contents, message] of cases) {
      const path = join(folder, name);
      writeFileSync(path, typeof contents === 'string' ? Buffer.from(contents, 'latin1') : contents);
      const { code, stdout, stderr } = await hrm(['inspect', path]);
      expect({ code, stdout }, name).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
  });
});

const read = async (path: string) => openTensorFile(await fileSource(path));

const sha256 = (data: NodeJS.ArrayBufferView) => createHash('sha256').update(data).digest('hex');

/** Every tensor of a file, its data as a hash. */
async function contents(path: string) {
  const file = await read(path);
  const found: Record<string, unknown> = {};
  for (const name of file.names) found[name] = { ...file.info(name), data: sha256(await file.read(name)) };
  await file.close();
  return found;
}

describe('hrm export', () => {
  it('gives the published code what it reads, and comes back the same', async () => {
    const out = join(folder, 'published');
    mkdirSync(out);
    const path = join(out, 'checkpoint');
    const run = await hrm(['export', fixture('trained-6x6'), '--to', 'pt', '--out', path]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(await contents(path)).toEqual(await contents(join(fixture('trained-6x6'), 'checkpoint')));
    expect(readFileSync(path).toString('latin1')).toContain('_orig_mod.model.inner.H_init');
    const yaml = (file: string) => parseYaml(readFileSync(join(file, 'all_config.yaml'), 'utf8'), file);
    expect(parseAllConfig(yaml(out), 'out')).toEqual(parseAllConfig(yaml(fixture('trained-6x6')), 'in'));
    expect(readdirSync(out).sort()).toEqual(['all_config.yaml', 'checkpoint']);

    mkdirSync(join(folder, 'back'));
    const back = join(folder, 'back', 'mine.safetensors');
    expect(await hrm(['export', out, '--to', 'safetensors', '--out', back])).toMatchObject({ code: 0 });
    // The only checkpoint of a folder, whatever it is called.
    expect(await json(join(folder, 'back'))).toMatchObject({ code: 0, file: back, problems: [] });
    expect(await contents(back)).toEqual(await contents(path));
  });

  it('leaves the optimiser behind and gives the initial states the type of forward_dtype', async () => {
    const run = writeRun('trained');
    const pt = join(run, 'step_1');
    expect(await hrm(['export', run, '--to', 'pt', '--out', pt])).toMatchObject({ code: 0 });
    const file = await read(pt);
    expect([...file.names].sort()).toEqual([...parameterShapes(config).keys()].sort());
    expect([file.info('H_init').dtype, file.info('lm_head.weight').dtype]).toEqual(['BF16', 'F32']);
    const exact = ruleWeight('H_init', [32]);
    const rounded = await file.readF32('H_init');
    // bfloat16 keeps eight bits.
    expect(rounded.every((value, i) => Math.abs(value - exact[i]) <= Math.abs(exact[i]) * 2 ** -8)).toBe(
      true,
    );
    await file.close();
    const own = join(run, 'weights.safetensors');
    expect(await hrm(['export', run, '--to', 'safetensors', '--out', own])).toMatchObject({ code: 0 });
    expect((await json(own)).config).toEqual(JSON.parse(JSON.stringify(config)));
  });

  it('stores weights in half the bytes with --half, which tell the same of their model', async () => {
    const run = writeRun('half');
    const out = join(run, 'half.safetensors');
    const args = ['--to', 'safetensors', '--out', out];
    expect(await hrm(['export', run, ...args, '--half'])).toMatchObject({ code: 0, stderr: '' });
    const [half, whole] = [await read(out), await read(join(run, 'checkpoint.safetensors'))];
    expect([...half.names].sort()).toEqual([...parameterShapes(config).keys()].sort());
    for (const name of half.names) {
      expect(half.info(name)).toEqual({ dtype: 'F16', shape: whole.info(name).shape });
      expect(await half.readF32(name)).toEqual(f16ToF32(f32ToF16(await whole.readF32(name))));
    }
    expect(half.metadata).not.toEqual({});
    await Promise.all([half.close(), whole.close()]);
    const alone = join(folder, 'alone');
    mkdirSync(alone);
    renameSync(out, join(alone, 'half.safetensors'));
    expect(await json(alone)).toMatchObject({
      code: 0,
      problems: [],
      config: JSON.parse(JSON.stringify(config)),
    });
    const yaml = join(run, 'all_config.yaml');
    const { arch } = parseAllConfig(parseYaml(readFileSync(yaml, 'utf8'), yaml), yaml);
    expect(arch.forward_dtype).toBe(config.forward_dtype); // how it computes, not how it is stored
    // Of halves, nothing is rounded twice.
    const again = join(alone, 'again.safetensors');
    const more = ['--to', 'safetensors', '--out', again, '--half'];
    expect(await hrm(['export', join(alone, 'half.safetensors'), ...more])).toMatchObject({ code: 0 });
    expect(await contents(again)).toEqual(await contents(join(alone, 'half.safetensors')));
  });

  it('notes with --task what a published checkpoint does not tell', async () => {
    const alone = join(folder, 'noted');
    mkdirSync(alone);
    const out = join(alone, 'noted.safetensors');
    const six = fixture('trained-6x6');
    const args = ['export', six, '--to', 'safetensors', '--out', out];
    expect(await hrm([...args, '--task', 'sudoku'])).toMatchObject({ code: 0, stderr: '' });
    rmSync(join(alone, 'all_config.yaml'));
    const { config } = await json(six);
    expect(await json(alone)).toMatchObject({ code: 0, problems: [], config: { ...config, seq_len: 36 } });
    const file = await read(out);
    expect(readMeaning(file).task).toBe('sudoku');
    await file.close();
    rmSync(out);
    const refused: [string[], RegExp][] = [
      [
        [...args, '--task', 'arc'],
        /this model reads 900 tokens of 8 kinds; the task 'arc' has 900 tokens of 12/,
      ],
      [[...args, '--task', 'maze'], /--task maze cannot be noted: the checkpoint does not tell its sequence/],
      [[...args, '--task', 'chess'], /--task chess: expected sudoku, /],
      [['export', six, '--to', 'pt', '--out', out, '--task', 'sudoku'], /--task goes with --to safetensors/],
    ];
    for (const [words, message] of refused) {
      const { code, stderr } = await hrm(words);
      expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
      expect(stderr).toMatch(message);
    }
    expect(readdirSync(alone)).toEqual([]);
  });

  it('refuses --half where it would not do', async () => {
    const run = writeRun('loud', (tensors) => {
      const { dtype, shape } = tensors.get('lm_head.weight')!;
      const data = new Float32Array(elementCount(shape)).fill(0.5);
      data[7] = -65_520;
      tensors.set('lm_head.weight', { dtype, shape, data });
    });
    const before = readdirSync(run);
    const loud = await hrm(['export', run, '--to', 'safetensors', '--out', join(run, 'half'), '--half']);
    expect(loud).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^.*"lm_head.weight" holds -65520, beyond the range .* leave out --half\n$/,
      ),
    });
    const pt = await hrm(['export', run, '--to', 'pt', '--out', join(run, 'half'), '--half']);
    expect(pt).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^.*--half goes with --to safetensors.*\n$/),
    });
    expect(readdirSync(run)).toEqual(before);
  });

  it('leaves the puzzle rows out with --trunk-only', async () => {
    const run = writeRun('rows');
    const out = join(run, 'trunk.safetensors');
    const args = ['--to', 'safetensors', '--out', out, '--trunk-only'];
    expect(await hrm(['export', run, ...args])).toMatchObject({ code: 0 });
    const found = await contents(out);
    expect(found['puzzle_emb.weights']).toEqual({
      dtype: 'F32',
      shape: [1, 32],
      data: sha256(new Float32Array(32)),
    });
    expect(await json(out)).toMatchObject({ code: 0, config: { num_puzzle_identifiers: 1 }, problems: [] });
  });

  it('writes nothing where it cannot write all', async () => {
    const run = writeRun('broken', (tensors) => tensors.delete('L_init'));
    const out = join(folder, 'nothing');
    mkdirSync(out);
    const attempt = (source: string, ...args: string[]) => hrm(['export', source, ...args]);
    const file = join(out, 'checkpoint');
    const cases: [Promise<{ code: number | null; stderr: string }>, RegExp][] = [
      [attempt(run, '--to', 'pt', '--out', file), /no tensor "L_init"/],
      [attempt(run, '--to', 'pth', '--out', file), /--to pt or --to safetensors/],
      [attempt(run, '--to', 'pt'), /--out FILE/],
      [attempt(run, '--to', 'pt', '--out', out), /is a folder/],
      [
        attempt(fixture('tiny-rope'), '--to', 'pt', '--out', join(out, 'none', 'x')),
        /no such file or folder/,
      ],
      [
        attempt(fixture('tiny-rope/eval.safetensors'), '--to', 'pt', '--out', file),
        /no tensor "embed_tokens/,
      ],
    ];
    for (const [run, message] of cases) {
      const { code, stderr } = await run;
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(1);
    }
    expect(readdirSync(out)).toEqual([]);
  });

  it('spares what is there: the file itself and the configuration of another model', async () => {
    const out = join(folder, 'taken');
    mkdirSync(out);
    const path = join(out, 'checkpoint');
    expect(await hrm(['export', fixture('tiny-rope'), '--to', 'pt', '--out', path])).toMatchObject({
      code: 0,
    });
    const before = readFileSync(path);
    const again = await hrm(['export', fixture('tiny-rope'), '--to', 'pt', '--out', path]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/exists already/) });
    const other = join(out, 'other');
    const refused = await hrm(['export', fixture('trained-6x6'), '--to', 'pt', '--out', other]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/describes another model/) });
    expect(readFileSync(path)).toEqual(before);
    expect(existsSync(other)).toBe(false);
  });

  it('leaves no file behind when the source is cut short', async () => {
    const run = writeRun('ends');
    const out = join(run, 'out');
    mkdirSync(out);
    const source = join(run, 'checkpoint.safetensors');
    truncateSync(source, readFileSync(source).length - 100);
    expect(await hrm(['export', run, '--to', 'pt', '--out', join(out, 'checkpoint')])).toMatchObject({
      code: 1,
    });
    expect(readdirSync(out)).toEqual([]);
  });
});
