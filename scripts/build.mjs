// Builds the workspaces: embeds shaders/*.wgsl in TypeScript (so that Node, browsers and bundlers read the same
// text, and a bundle carries the shaders that it uses), then compiles TypeScript incrementally. Needs `npm ci` first;
// `npm run setup` does both.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportModules } from './kernel-exports.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'packages/kernels/src');

/** Every module that is made, by its path in packages/kernels/src. */
function generatedModules() {
  const folder = join(root, 'shaders');
  const files = readdirSync(folder).filter((file) => file.endsWith('.wgsl'));
  const names = files.map((file) => file.slice(0, -'.wgsl'.length)).sort();
  const texts = names.map((name) => withoutComments(readFileSync(join(folder, `${name}.wgsl`), 'utf8')));
  const version = createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16);
  const imports = names.map((name) => `import { check as ${name} } from './defs/${name}.ts';\n`);
  return {
    ...shaderModules(names, texts),
    'version.gen.ts':
      `/** Changes with the text of any shader, comments apart. */\nexport const shadersVersion = '${version}';\n` +
      `/** Every shader there is. */\nexport const shaderNames = ${JSON.stringify(names)};\n`,
    'checks.gen.ts':
      `${imports.join('')}\n/** The check of every kernel, by name. */\n` +
      `export const checks = { ${names.join(', ')} };\n`,
    ...exportModules(target, names),
  };
}

/**
 * The texts, each in the module that its definition takes it from: `shaders.gen.ts` for most, so that they stand side by side in
 * a bundle (they have much in common, and compress together), another for what a bundle loads later.
 */
function shaderModules(names, texts) {
  const modules = { 'shaders.gen.ts': '' };
  for (const [i, name] of names.entries()) {
    const file = join(target, 'defs', `${name}.ts`);
    const definition = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const [, module = 'shaders.gen.ts'] =
      definition.match(/ as text \} from '\.\.\/([\w-]+\.gen\.ts)'/) ?? [];
    modules[module] =
      `${modules[module] ?? ''}export const ${name}: string =\n  ${JSON.stringify(texts[i])};\n`;
  }
  return modules;
}

/**
 * A shader without what only readers of its file need: lines and columns stay, so that the compiler's messages point to
 * the file. `// tune:` is read by programs.
 */
function withoutComments(text) {
  return text.replace(/[ \t]*\/\/(?! tune:)[^\n]*/g, '');
}

/** Writes what is made of shaders/*.wgsl and the files that are named like them; leaves alone what has not changed. */
export function embedShaders() {
  for (const [path, body] of Object.entries(generatedModules())) {
    const file = join(target, path);
    const generated = `// Made by scripts/build.mjs; not checked in.\n${body}`;
    if (!existsSync(file) || readFileSync(file, 'utf8') !== generated) writeFileSync(file, generated);
  }
}

/** Compiles every package; prints the compiler's own messages. Returns its exit code. */
export function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [tsc, '-b', root], { stdio: 'inherit' }).status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  embedShaders();
  process.exitCode = compile();
}
