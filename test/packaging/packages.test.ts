/** The tarballs in other people's projects: Node, TypeScript, Vite, a plain page, a worker, Deno. */
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { openDevice, parseShader } from '@hrm-webgpu/core';
import type { Browser, Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installTools } from '../../scripts/tools.mjs';
import { collectFailures, launchChromium, reasonToSkip } from '../browser/chromium.ts';
import { codeOf, inRoot, Project } from './project.ts';

const TRAINED = 'test/fixtures/trained-6x6';
/** What the README's example prints. */
const SOLVED = /^1 goes on\n[\s\S]*4 segments\n4 5 6 3 2 1\n2 3 1 5 4 6\n/;
const [EXAMPLE] = codeOf('README.md', 'ts');
/** The example as a module of a page or worker: what it prints goes to `lines`, and the checkpoint is at a URL. */
const exampleAt = (checkpoint: string, done: string) =>
  [
    'const lines = [];',
    "console.log = (...parts) => lines.push(parts.join(' '));",
    EXAMPLE.replace(TRAINED, checkpoint),
    done,
  ].join('\n');

/** Dawn's two lines about limits, which cannot be kept from a stderr that is a socket, as here. */
const withoutDawn = (stderr: string) => stderr.replace(/^Warning: maxDynamic.*\n/gm, '');

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  project.copy(TRAINED);
}, 120_000);
afterAll(() => project?.remove());

describe('tarballs', () => {
  const installed = (path: string) => project.path(join('node_modules', path));

  it.each(['@hrm-webgpu/core', '@hrm-webgpu/kernels', 'hrm-webgpu', 'hrm-webgpu-bench'])(
    '%s holds what it needs and no more',
    (name) => {
      const files = readdirSync(installed(name), { recursive: true }) as string[];
      expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
      expect(
        files.filter((file) => /\.map$|(^|\/)src\/|\.test\.|tsbuildinfo|(?<!\.d)\.ts$/.test(file)),
      ).toEqual([]);
      const manifest = readFileSync(installed(join(name, 'package.json')), 'utf8');
      expect(manifest).not.toContain('"source"');
      const { exports, imports = {}, sideEffects } = JSON.parse(manifest);
      expect(sideEffects).toBe(false);
      const targets = JSON.stringify([exports, imports]).match(/\.\/dist\/[^"]*/g) ?? [];
      expect(targets.length).toBeGreaterThan(1);
      for (const target of targets) expect(files).toContain(target.slice('./'.length));
    },
  );

  it('kernels run without their checks, which are a module of their own', () => {
    const dist = installed('@hrm-webgpu/kernels/dist');
    const code = readFileSync(join(dist, 'defs/matmul.js'), 'utf8');
    expect(code).toContain('workgroups');
    expect(code).not.toContain('tolerance');
    expect(readFileSync(join(dist, 'checks.js'), 'utf8')).toContain('tolerance');
  });
});

it('packed shaders are what their files are: the same declarations, and valid', async () => {
  const packed = await import(project.path('node_modules/@hrm-webgpu/kernels/dist/checks.js'));
  const device = await openDevice();
  const declared = (name: string, source: string) => {
    const { constants, ...rest } = parseShader(name, source);
    const values = [...constants.values()].map(({ value, ...other }) => [value.replaceAll(' ', ''), other]);
    return { ...rest, values };
  };
  const names = readdirSync(inRoot('shaders')).map((file) => file.replace('.wgsl', ''));
  expect(Object.keys(packed.checks).sort()).toEqual(names.sort());
  for (const name of names) {
    const { text } = packed.checks[name].kernel;
    const file = readFileSync(inRoot(`shaders/${name}.wgsl`), 'utf8');
    expect(declared(name, text)).toEqual(declared(name, file));
    expect(text.split('\n').length).toBe(file.split('\n').length);
    const { messages } = await device.gpu.createShaderModule({ code: text }).getCompilationInfo();
    expect(messages.map(({ message }) => `${name}: ${message}`)).toEqual([]);
  }
  device.close();
});

describe('Node', () => {
  it('runs the example of the README and ends by itself', () => {
    const { status, stdout, stderr } = project.node(EXAMPLE);
    expect({ status, stderr: withoutDawn(stderr) }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(SOLVED);
  });

  it.each(['core', 'kernels'])('runs the example of %s', (name) => {
    const [code] = codeOf(`packages/${name}/README.md`, 'js');
    // Node 20 has no `using` yet.
    const run = project.node(`${code.replace('using device', 'const device')}\ndevice.close();`);
    expect(run).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(name === 'core' ? '[ 1, 2, 3 ]' : '[ 11 ]'),
    });
  });

  it('runs the example of docs/library.md with a puzzle and a look inside', () => {
    const [code] = codeOf('docs/library.md', 'js');
    const { status, stdout, stderr } = project.node(code);
    expect({ status, stderr: withoutDawn(stderr) }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^6×6 Sudoku has one solution\nsolved: .*\n(L L H L L H 0\.\d{3}\n){4}$/);
  });

  it('runs the training example of docs/library.md and goes on from its checkpoint', () => {
    const [, train, goOn] = codeOf('docs/library.md', 'js');
    const end = 'console.log(resumed.step); resumed.dispose(); trainer.dispose(); device.close();';
    const run = project.node(`${train}\n${goOn}\n${end}`);
    expect({ status: run.status, stderr: withoutDawn(run.stderr) }).toEqual({ status: 0, stderr: '' });
    const lines = run.stdout.trim().split('\n');
    expect(lines).toHaveLength(42);
    expect(lines[39]).toMatch(/^40 \d+\.\d{3} \d+ exact 0\.0016$/);
    expect(lines[41]).toBe('40');
  });

  it('says what to install when webgpu is missing', () => {
    const [there, away] = [project.path('node_modules/webgpu'), project.path('node_modules/.webgpu-away')];
    renameSync(there, away);
    const { status, stderr } = project.node("import { openDevice } from 'hrm-webgpu';\nawait openDevice();");
    renameSync(away, there);
    expect(status).toBe(1);
    expect(stderr).toContain('npm install webgpu');
  });

  it('hrm runs by npx', () => {
    const { status, stdout } = project.run('npx', [
      'hrm',
      'solve',
      TRAINED,
      '4...212315...4..636....5..4.5..6....',
    ]);
    expect(status).toBe(0);
    expect(stdout).toContain('4 5 6');
  });

  it('hrm builds a dataset, trains, evaluates and examines the adapter outside of a checkout', () => {
    const hrm = (...words: string[]) => {
      const { status, stdout, stderr } = project.run('npx', ['hrm', ...words]);
      expect({ words, status, stderr }).toMatchObject({ status: 0 });
      return stdout;
    };
    hrm(...'data sudoku --size 4 --generate 64 --test 8 --blanks 4-6 --out four'.split(' '));
    const small = ['hidden_size=32', 'num_heads=2', 'puzzle_emb_ndim=32', 'H_layers=1', 'L_layers=1'];
    const model = small.flatMap((setting) => ['--set', `arch.${setting}`]);
    const steps = ['--set', 'global_batch_size=8', '--steps', '4', '--out', 'run'];
    hrm('train', '--preset', 'demo-4x4', '--data', 'four', ...model, ...steps);
    expect(hrm('eval', 'run', '--data', 'four')).toContain('exact accuracy');
    expect(hrm('doctor')).toMatch(/ok +matmul/);
  });
});

describe('hrm-webgpu-bench', { timeout: 180_000 }, () => {
  const bench = (...words: string[]) => project.run('npx', ['hrm-webgpu-bench', ...words]);

  it('brings Dawn along, as `npx` in an empty folder needs it', () => {
    const manifest = readFileSync(project.path('node_modules/hrm-webgpu-bench/package.json'), 'utf8');
    expect(JSON.parse(manifest).dependencies).toHaveProperty('webgpu');
  });

  it('leaves the lab out, which edits the shaders of a checkout', () => {
    const folders = readdirSync(project.path('node_modules/hrm-webgpu-bench/dist'));
    expect(folders).toContain('kernels');
    expect(folders).not.toContain('lab');
  });

  it('explains itself', () => {
    const { status, stdout } = bench('--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^usage: npx hrm-webgpu-bench <name>/);
  });

  it('measures in a process that loads a checkpoint, and compares the file that it wrote', () => {
    const run = bench('load', '--quick', '--out', 'a.json');
    expect(run.stdout).toContain('memory at the peak');
    const { benchmark, environment } = JSON.parse(readFileSync(project.path('a.json'), 'utf8'));
    expect(benchmark).toBe('load');
    expect(environment).toMatchObject({ commit: null, version: expect.stringMatching(/^\d/) });
    expect(bench('compare', 'a.json', 'a.json')).toMatchObject({ status: 0 });
  });

  it.each(['peers', 'browser'])('says that %s needs the repository', (name) => {
    expect(bench(name)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `bench: '${name}' needs files of the repository: clone it and run npm run bench -- ${name} there.\n`,
    });
  });
});

describe('TypeScript, strict, with nothing else installed', () => {
  const main = `
import { HRM, openDevice, Trainer, type Solution } from 'hrm-webgpu';
import { batchOf, observe, type ObservedSegment } from 'hrm-webgpu/inside';
import { readSplit } from 'hrm-webgpu/node';
import { parsePuzzle, type PuzzleInput } from 'hrm-webgpu/puzzles';
import * as standalone from 'hrm-webgpu/standalone';
import { Tensor } from '@hrm-webgpu/core';
import { linear } from '@hrm-webgpu/kernels';
import { checks, tune } from '@hrm-webgpu/kernels/checks';
export async function main(device: GPUDevice): Promise<Solution> {
  using model = await HRM.load('x', { device });
  const puzzle: PuzzleInput = parsePuzzle('1..43..22..34..1');
  const batch = batchOf(model.config, model.task, [puzzle.grid]);
  for await (const segment of observe(model.model, batch, { segments: 1 })) console.log(segment satisfies ObservedSegment);
  console.log(readSplit, standalone.HRM, Tensor, linear, checks, tune, openDevice, Trainer);
  return model.solve([[1, 2]]);
}
${EXAMPLE.replace(/^import.*$/gm, '')}
`;
  const compilers = ['7', '5'].flatMap((version) =>
    ['nodenext', 'bundler'].map((moduleResolution) => ({ version, moduleResolution })),
  );

  it.each(compilers)(
    'TypeScript $version, moduleResolution $moduleResolution',
    ({ version, moduleResolution }) => {
      const tsc = version === '5' ? installTools().tsc : inRoot('node_modules/typescript/bin/tsc');
      const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
      const compilerOptions = {
        strict: true,
        noEmit: true,
        target: 'es2022',
        module,
        moduleResolution,
        skipLibCheck: false,
      };
      project.write('main.ts', main);
      project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['main.ts'] }));
      expect(project.run(process.execPath, [tsc, '-p', '.'])).toMatchObject({ status: 0, stdout: '' });
    },
  );
});

const skip = reasonToSkip();

describe('browsers', { timeout: 60_000 }, () => {
  let browser: Browser;
  let server: PreviewServer;
  const page = (body: string) =>
    `<!doctype html><meta charset="utf-8"><title>hrm</title><link rel="icon" href="data:,">${body}`;

  beforeAll(async () => {
    if (skip) return console.warn(`skipped: ${skip}`);
    const code = exampleAt('trained/checkpoint', 'globalThis.lines = lines;');
    project.write('app/index.html', page('<script type="module" src="./main.js"></script>'));
    project.write('app/main.js', code);
    project.write('app/worker.html', page('<script type="module" src="./start.js"></script>'));
    project.write('app/worker.js', exampleAt('/trained/checkpoint', 'postMessage(lines);'));
    project.write(
      'app/start.js',
      "const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });\n" +
        'worker.onmessage = ({ data }) => { globalThis.lines = data; };\nworker.onerror = (e) => console.error(e.message);\n',
    );
    const root = project.path('app');
    await build({
      ...{ root, configFile: false, logLevel: 'error' },
      worker: { format: 'es' },
      build: { target: 'es2022', rollupOptions: { input: [`${root}/index.html`, `${root}/worker.html`] } },
    });
    const standalone = code.replace("'hrm-webgpu'", "'./standalone.js'");
    project.write('app/dist/plain.html', page(`<script type="module">${standalone}</script>`));
    project.copy(TRAINED, 'app/dist/trained');
    const dist = project.path('node_modules/hrm-webgpu/dist');
    for (const file of readdirSync(dist).filter((name) => name.startsWith('standalone')))
      project.write(`app/dist/${file}`, readFileSync(join(dist, file), 'utf8'));
    server = await preview({
      root,
      configFile: false,
      logLevel: 'error',
      appType: 'mpa',
      preview: { port: 0 },
    });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it.skipIf(skip).each([
    ['an app built with Vite', 'index.html'],
    ['a plain page with the standalone file', 'plain.html'],
    ['a worker', 'worker.html'],
  ])('%s runs the example of the README', async (_what, path) => {
    const context = await browser.newContext();
    const tab: Page = await context.newPage();
    const failures = collectFailures(tab);
    const requests: string[] = [];
    tab.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await tab.goto(`${server.resolvedUrls?.local[0]}${path}`);
    const lines = await tab
      .waitForFunction(() => (globalThis as unknown as { lines?: string[] }).lines, undefined, {
        timeout: 45_000,
      })
      .then((handle) => handle.jsonValue())
      .catch((error) => Promise.reject(failures.length > 0 ? new Error(failures.join('\n')) : error));
    expect(failures).toEqual([]);
    expect(`${lines?.join('\n')}\n`).toMatch(SOLVED);
    if (path === 'plain.html')
      expect(requests).toEqual(['/plain.html', '/standalone.js', expect.any(String), expect.any(String)]);
    await context.close();
  });
});

describe('Deno', { timeout: 60_000 }, () => {
  it('runs the example of the README on its own WebGPU', () => {
    const { deno } = installTools();
    project.write('deno.mjs', `${EXAMPLE}\nif (!navigator.gpu) throw new Error('no WebGPU');\n`);
    const permissions = ['--allow-read', '--allow-env', '--allow-sys', '--allow-ffi'];
    const { status, stdout, stderr } = project.run(deno, [
      'run',
      '--unstable-webgpu',
      ...permissions,
      'deno.mjs',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(SOLVED);
  });
});
