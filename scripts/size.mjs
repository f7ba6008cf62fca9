// `npm run size`: what the library costs a page. Bundles the packages as published, as a user's bundler does (Vite,
// minified, tree-shaken, for browsers), and prints gzipped sizes; exit code 1 over a limit.
//
//   --json   one JSON document on stdout
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { BROWSER_CONDITIONS, stagePackages } from './packages.mjs';

const out = fileURLToPath(new URL('../build/size/', import.meta.url));

/** Limits in kB (1000 bytes), gzipped: engine, kernels, model, checkpoint reading; the same with training. */
const SCENARIOS = [
  { name: 'inference', code: "export { HRM } from 'hrm-webgpu';", limit: 45 },
  { name: 'inference and training', code: "export { HRM, Trainer } from 'hrm-webgpu';", limit: 55 },
  // What a page that trains is likely to take besides; without a limit, for the record.
  {
    name: '… with data, evaluation, checkpoints, survival',
    code:
      'export { HRM, Trainer, Survival, preset, evaluate, encodeTraining, encodeModel, loadTraining, ' +
      "tokenRows } from 'hrm-webgpu';",
  },
  {
    name: 'inference, puzzles, a look inside',
    code:
      "export { HRM } from 'hrm-webgpu';\n" +
      "export { brokenCells, parsePuzzle, prospectOf, puzzleText, verdictOn } from 'hrm-webgpu/puzzles';\n" +
      "export { batchOf, measureParticipation, measureResiduals, observe, principalComponents } from 'hrm-webgpu/inside';",
  },
];

/** Chunks that loading and solving never fetch: what belongs to a module that is imported when it is asked for. */
const ON_DEMAND = [
  { name: 'tuning, checks and references', module: /\/kernels\/dist\/checks\.js$/ },
  { name: '.pt files of published checkpoints', module: /\/torch\/torch-checkpoint\.js$/ },
  { name: 'all_config.yaml of published checkpoints', module: /\/yaml\/yaml\.js$/ },
  { name: 'many guesses', module: /\/guesses\/guessing\.js$/ },
  { name: 'averaged weights', module: /\/training\/average\.js$/ },
];

/** The chunks of a bundle of `code`: gzipped bytes, and what is in them. */
async function bundle(code) {
  const entry = join(out, 'entry.js');
  writeFileSync(entry, code);
  const { output } = await build({
    configFile: false,
    logLevel: 'error',
    root: out,
    resolve: { conditions: BROWSER_CONDITIONS },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', output: { format: 'es' } },
    },
  });
  return output
    .filter(({ type }) => type === 'chunk')
    .map((chunk) => ({
      file: chunk.fileName,
      isEntry: chunk.isEntry,
      isDynamicEntry: chunk.isDynamicEntry,
      imports: chunk.imports,
      gzipped: gzipSync(chunk.code, { level: 9 }).length,
      modules: Object.keys(chunk.modules),
    }));
}

/** Chunks and all that they import at once. */
function withImports(roots, chunks) {
  const found = new Set(roots);
  for (const { imports } of found)
    for (const chunk of chunks) if (imports.includes(chunk.file)) found.add(chunk);
  return found;
}

/** Bytes of a bundle that a page which loads and solves fetches, and those of each chunk on demand. */
async function measure(code) {
  const chunks = await bundle(code);
  const sum = (list) => list.reduce((total, { gzipped }) => total + gzipped, 0);
  const partOf = (chunk) => ON_DEMAND.find(({ module }) => chunk.modules.some((path) => module.test(path)));
  const parts = ON_DEMAND.map((part) => ({ part, roots: chunks.filter((chunk) => partOf(chunk) === part) }));
  const unknown = chunks.filter((chunk) => !chunk.isEntry && chunk.isDynamicEntry && !partOf(chunk));
  const fetched = withImports([...chunks.filter(({ isEntry }) => isEntry), ...unknown], chunks);
  return {
    gzipped: sum([...fetched]),
    onDemand: parts.map(({ part, roots }) => ({
      name: part.name,
      gzipped: sum([...withImports(roots, chunks)].filter((chunk) => !fetched.has(chunk))),
    })),
  };
}

/** What exists at run time of the package's exports. */
async function exportedNames() {
  return Object.keys(await import(pathToFileURL(join(out, 'hrm/dist/index.js')).href));
}

function print({ scenarios, standalone, exports }) {
  const row = (name, bytes, rest = '') =>
    console.log(`${name.padEnd(44)}${(bytes / 1000).toFixed(1).padStart(6)} kB${rest}`);
  console.log('gzipped (level 9), minified by Vite for browsers\n');
  for (const { name, gzipped, limit, ok, onDemand } of scenarios) {
    row(name, gzipped, limit ? `   limit ${limit / 1000} kB   ${ok ? 'ok' : 'TOO LARGE'}` : '');
    for (const part of onDemand) if (part.gzipped > 0) row(`  on demand: ${part.name}`, part.gzipped);
  }
  for (const { file, gzipped } of standalone) row(file, gzipped);
  console.log('\neach export by itself');
  for (const { name, gzipped } of exports) row(`  ${name}`, gzipped);
}

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
await stagePackages(out);
const scenarios = [];
for (const { name, code, limit } of SCENARIOS) {
  const { gzipped, onDemand } = await measure(code);
  const bytes = limit && 1000 * limit;
  scenarios.push({
    name,
    gzipped,
    limit: bytes ?? null,
    ok: bytes === undefined || gzipped <= bytes,
    onDemand,
  });
}
const dist = join(out, 'hrm/dist');
const standalone = readdirSync(dist)
  .filter((file) => file.startsWith('standalone') && file.endsWith('.js'))
  .map((file) => ({ file, gzipped: gzipSync(readFileSync(join(dist, file)), { level: 9 }).length }));
const exports = [];
for (const name of await exportedNames()) {
  const { gzipped } = await measure(`export { ${name} } from 'hrm-webgpu';`);
  exports.push({ name, gzipped });
}
exports.sort((a, b) => b.gzipped - a.gzipped);
const report = { scenarios, standalone, exports };
if (values.json) console.log(JSON.stringify(report, null, 2));
else print(report);
if (scenarios.some(({ ok }) => !ok)) process.exitCode = 1;
