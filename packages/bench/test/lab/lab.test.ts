/** The lab, as its user runs it. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { checks } from '@hrm-webgpu/kernels/checks';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

const inRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hrm-lab-'));
const file = join(folder, 'add.wgsl');
const original = readFileSync(inRoot('shaders/add.wgsl'), 'utf8');
const STORE = 'c[i] = a[i] + b[i];';
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => copyFileSync(inRoot('shaders/add.wgsl'), file));

function start(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [inRoot('packages/bench/bin/lab.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1', ...environment },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  const code = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, said, code };
}

async function lab(...args: string[]) {
  const { said, code } = start(args);
  return { code: await code, ...said };
}
const once = (...args: string[]) =>
  lab('add', '--once', '--json', '--shaders', folder, '--shape', 'length=4096', ...args);
const edit = (change: (text: string) => string) => {
  const text = change(original);
  expect(text).not.toBe(original);
  writeFileSync(file, text);
};

describe('once', () => {
  it('is right with a comment more and another name for a variable', async () => {
    edit((text) => `// a remark, with x[1 in it\n${text.replace(/\bi\b/g, 'place')}`);
    const { code, out } = await once();
    const { kernel, verdict, checks, timing, problem } = JSON.parse(out);
    expect([code, kernel, problem]).toEqual([0, 'add', undefined]);
    expect(['same', 'faster', 'slower']).toContain(verdict); // the machine may be busy
    expect(checks.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
    const names = checks.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'compiles',
        'first',
        'named settings',
        'all pairs of settings',
        'default limits',
      ]),
    );
    expect(timing.rivals).toEqual(['the committed version']);
    expect(timing.against[0].low).toBeLessThanOrEqual(timing.against[0].ratio);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'that does not compile',
      (text) => text.replace('b[i];', 'bb[i];'),
      /^shaders\/add\.wgsl:18:19: unresolved value 'bb'\n {2}18 \| .*\n {5}\| {19}\^/,
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
      'that poorer devices have no room for',
      (text) =>
        text
          .replace('@compute', 'var<workgroup> large: array<f32, 5000>;\n@compute')
          .replace(STORE, `large[i % 5000] = 0.0; ${STORE}`),
      /^(default limits|naga): /,
    ],
    [
      'that writes out of bounds',
      (text) => text.replace(/if \(i < [^)]*\) \{/, 'if (true) {'),
      /is out of its bounds/,
    ],
    ['that is half written', (text) => text.slice(0, 300), /^shaders\/add\.wgsl:10:26: missing closing '>'/],
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

  it('stops one that never ends', async () => {
    edit((text) => text.replace(STORE, `loop { if (all(c[i] == pack(77.0))) { break; } } ${STORE}`));
    const { code, out } = await once('--limit', '3');
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'wrong',
      problem: expect.stringMatching(/does not end within 3 s/),
    });
    expect(code).toBe(1);
  });
});

it('--tune times settings by turns and says which are wrong', async () => {
  edit((text) => `${text}\n`);
  const { code, out } = await lab('add', '--tune', 'GROUP=32,99999', '--shaders', folder, '--json');
  const { settings } = JSON.parse(out);
  expect(settings).toEqual([
    { constants: {}, ms: expect.any(Number) },
    {
      constants: { GROUP: 32 },
      ms: expect.any(Number),
      ratio: expect.any(Object),
      word: expect.stringMatching(/^(faster|slower|same)$/),
    },
    { constants: { GROUP: 99999 }, problem: expect.stringMatching(/workgroup_size/) },
  ]);
  expect(code).toBe(1);
});

describe('a mistake in the command line', () => {
  it.each([
    [['ad', '--once'], /there is no kernel 'ad' in shaders\/; there is .*add/],
    [
      ['add', '--shape', 'size=3'],
      /--shape size=3: expected NAME=NUMBER with one of add's parameters: length/,
    ],
    [['add', '--shape', 'length=many'], /--shape length=many: expected NAME=NUMBER/],
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

/** A lab that watches `add`, and what waits until it shows something. */
function watching(environment?: Record<string, string>) {
  const { child, said, code } = start(['add', '--shaders', folder, '--shape', 'length=4096'], environment);
  const until = async (pattern: RegExp) => {
    const end = Date.now() + 60_000;
    while (!pattern.test(said.out)) {
      if (Date.now() > end) throw new Error(`not seen: ${pattern} in ${said.out}${said.err}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    said.out = '';
  };
  const end = async () => {
    child.kill('SIGINT');
    expect(await code).toBe(0);
    expect(said.err).toBe('');
  };
  return { until, end };
}

it('watches, two at once: a save, a mistake, half a file, a file that is elsewhere for a while', async () => {
  const labs = [watching(), watching()];
  const both = (pattern: RegExp) => Promise.all(labs.map(({ until }) => until(pattern)));
  await both(/in all pairs of settings/);
  edit((text) => text.replace('b[i];', 'bb[i];'));
  await both(/add wrong.*unresolved value 'bb'/s);
  edit((text) => text.slice(0, text.indexOf(STORE)));
  await both(/add wrong.*expected '}'/s);
  renameSync(file, join(folder, 'elsewhere.wgsl'));
  await both(/add\.wgsl is not there/);
  writeFileSync(file, `${original}\n`);
  await both(/add (same|faster|slower).*save before|add right/s);
  for (const { end } of labs) await end();
});

it('goes on with another device when a kernel loses its own', async () => {
  // What no kernel can do to a software adapter: a module with this remark in it ends the device.
  const preload = join(folder, 'lose.mjs');
  writeFileSync(
    preload,
    `import { globals } from ${JSON.stringify(pathToFileURL(inRoot('node_modules/webgpu/index.js')).href)};
     const { createShaderModule } = globals.GPUDevice.prototype;
     globals.GPUDevice.prototype.createShaderModule = function (descriptor) {
       if (descriptor.code.includes('lose_the_device')) this.destroy();
       return createShaderModule.call(this, descriptor);
     };`,
  );
  const { until, end } = watching({ NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` });
  await until(/in all pairs of settings/);
  edit((text) => `${text}const lose_the_device = 1;\n`);
  await until(/add wrong.*device/s);
  writeFileSync(file, `${original}\n`);
  await until(/add (same|faster|slower)/s);
  await end();
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
