// Makes the packages as they are published: `npm run pack` writes core, kernels, hrm and bench to build/packages, and their
// tarballs beside them. What differs from the workspaces: no condition `source`, no source maps; float64 references and
// checks stand in one module of their own instead of beside each kernel; hrm has its standalone files.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { compile, embedShaders } from './build.mjs';
import { compactShaders } from './compact-shaders.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The `exports` conditions under which bundlers for browsers resolve. */
export const BROWSER_CONDITIONS = ['browser', 'module', 'import', 'default'];

/** Published, in the order of their dependencies. */
export const PACKAGES = ['core', 'kernels', 'hrm', 'bench'];

/** What works on a checkout alone: editing its shaders. */
const CHECKOUT_ONLY = /\/packages\/bench\/(dist|bin)\/lab\b/;

/**
 * Writes the packages to the folders core, kernels, hrm and bench of `out`, which is emptied, and links them there as a
 * node_modules would.
 */
export async function stagePackages(out) {
  embedShaders();
  if (compile() !== 0) throw new Error('the build failed (see above)');
  rmSync(out, { recursive: true, force: true });
  for (const name of PACKAGES) {
    copyPackage(name, join(out, name));
    const link = join(out, 'node_modules', manifestOf(join(out, name)).name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(out, name), link, 'junction');
  }
  await splitChecks(join(out, 'kernels/dist'));
  await bundleStandalone(join(out, 'hrm/dist'));
}

/** Tarballs of staged packages, beside them; their paths. */
export function packTarballs(out) {
  return PACKAGES.map((name) => {
    const npm = spawnSync('npm', ['pack', '--json', '--pack-destination', out], {
      cwd: join(out, name),
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
    if (npm.status !== 0) throw new Error(`npm pack of ${name} failed:\n${npm.stderr}`);
    return join(out, JSON.parse(npm.stdout)[0].filename);
  });
}

function copyPackage(name, to) {
  const from = join(root, 'packages', name);
  // A workspace's dist keeps what was made of files that are gone.
  const source = (path) => path.replace(`${from}/dist/`, `${from}/src/`).replace(/(\.d\.ts|\.js)$/, '.ts');
  const kept = (path) =>
    !CHECKOUT_ONLY.test(path) &&
    (statSync(path).isDirectory() || !path.includes('/dist/') || existsSync(source(path)));
  for (const part of ['dist', 'bin', 'README.md']) {
    if (existsSync(join(from, part)))
      cpSync(join(from, part), join(to, part), { recursive: true, filter: kept });
  }
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'));
  for (const file of readdirSync(join(to, 'dist'), { recursive: true })) {
    if (!/\.[jt]s$/.test(file)) continue;
    const path = join(to, 'dist', file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\n?$/, '\n'));
  }
  const manifest = withoutSource(manifestOf(from));
  delete manifest.exports['./defs/*']; // for this repository's tests
  if (name === 'core')
    manifest.exports['.'] = { 'types@<6': typesForTypeScript5(to), ...manifest.exports['.'] };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Declarations that bring WebGPU's own, for compilers whose DOM library lacks them. From TypeScript 6 on it has them, and
 * @webgpu/types beside them would declare everything twice.
 */
function typesForTypeScript5(folder) {
  const path = './dist/index.typescript-5.d.ts';
  const text = `/// <reference types="@webgpu/types" />\nexport * from './index.js';\n`;
  writeFileSync(join(folder, path), text);
  return path;
}

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** A manifest without the condition `source`, at any depth. */
function withoutSource(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'source');
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutSource(inner)]));
}

/** Kernels without their checks, module by module, and all checks as one module that shares nothing with them. */
async function splitChecks(dist) {
  const modules = `${dist}-modules`;
  cpSync(dist, modules, { recursive: true });
  const texts = readdirSync(modules)
    .filter((file) => file.endsWith('shaders.gen.js'))
    .map((file) => ({ file: join(modules, file), code: readFileSync(join(modules, file), 'utf8') }));
  const compact = (tunables) => {
    for (const { file, code } of texts) writeFileSync(file, compactShaders(code, tunables));
  };
  compact(false);
  for (const file of readdirSync(dist, { recursive: true }))
    if (file.endsWith('.js')) rmSync(join(dist, file));
  const entries = ['index', 'operation', 'software-kernels.browser', 'software-kernels.node'];
  await bundle({
    outDir: dist,
    entry: Object.fromEntries(entries.map((name) => [name, join(modules, `${name}.js`)])),
    external: [/^@hrm-webgpu\//, /^#/],
    output: { preserveModules: true, preserveModulesRoot: modules },
  });
  compact(true);
  await bundle({ outDir: dist, entry: { checks: join(modules, 'checks.js') }, external: [/^@hrm-webgpu\//] });
  rmSync(modules, { recursive: true });
}

/** All that a page needs, in one file; the checks, which `import()` fetches only when they are asked for, in a second one. */
async function bundleStandalone(dist) {
  await bundle({
    outDir: dist,
    entry: { standalone: join(dist, 'index.js') },
    external: [],
    output: {
      chunkFileNames: 'standalone-[name].js',
      manualChunks: (id) => (id.endsWith('/checks.js') ? 'checks' : 'standalone'),
    },
    preserveEntrySignatures: 'allow-extension', // the second file imports from the first
    minify: true,
  });
}

async function bundle({ outDir, entry, external, output = {}, minify = false, ...rest }) {
  await build({
    configFile: false,
    logLevel: 'error',
    root: outDir,
    resolve: { conditions: BROWSER_CONDITIONS },
    build: {
      outDir,
      emptyOutDir: false,
      target: 'es2022',
      minify,
      modulePreload: false,
      copyPublicDir: false,
      rollupOptions: {
        input: entry,
        preserveEntrySignatures: 'strict',
        ...rest,
        external,
        output: { format: 'es', entryFileNames: '[name].js', ...output },
      },
    },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = join(root, 'build/packages');
  await stagePackages(out);
  for (const tarball of packTarballs(out)) console.log(tarball);
}
