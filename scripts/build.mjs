// Builds the workspaces: embeds shaders/*.wgsl as a typed table (so that Node, browsers and bundlers read
// the same text), then compiles TypeScript incrementally. Needs `npm ci` first; `npm run setup` does both.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes packages/kernels/src/shaders.gen.ts; leaves it alone when nothing changed. */
export function embedShaders() {
  const folder = join(root, 'shaders');
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.wgsl'))
    .sort();
  const entries = names.map((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return `  ${file.slice(0, -'.wgsl'.length)}: ${JSON.stringify(text)},\n`;
  });
  const target = join(root, 'packages/kernels/src/shaders.gen.ts');
  const generated = `// Made from shaders/*.wgsl by scripts/build.mjs; not checked in.\nexport const shaderSources = {\n${entries.join('')}} as const;\n`;
  if (!existsSync(target) || readFileSync(target, 'utf8') !== generated) {
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, generated);
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
