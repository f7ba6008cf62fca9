// What packages/kernels exports, read from its files, so that a new kernel needs no entry in a list: kernels from defs/, ops from
// ops/, gradient rules from gradients/.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const KERNEL = /^export const (\w+): Kernel<\w+> =\s/m;
const PARAMS = /^export (?:type|interface) (\w+Params)\b/m;
const RULE = /^export const (\w+)Gradient: GradientRule =\s/gm;
/** An export of a file, behind its doc comment if it has one. */
const EXPORT = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export (?:const|function|(type|interface)) (\w+)/gm;

/** Modules by their path in `src`, the sources of packages/kernels, from the names of its shaders. */
export function exportModules(src, names) {
  const definitions = names
    .map((name) => ({ from: `./defs/${name}.ts`, text: textOf(src, `defs/${name}.ts`) }))
    .flatMap(({ from, text }) => exportsOfDefinition(from, text));
  const ops = tsFiles(src, 'ops').flatMap((file) =>
    exportsOfOps(`./ops/${file}`, textOf(src, `ops/${file}`)),
  );
  const rules = tsFiles(src, 'gradients').map((file) => ({
    from: `./gradients/${file}`,
    ops: [...textOf(src, `gradients/${file}`).matchAll(RULE)].map(([, op]) => op),
  }));
  const found = rules.filter(({ ops }) => ops.length > 0);
  const all = found.flatMap(({ ops }) => ops).sort();
  return {
    'exports.gen.ts':
      '/** Every op of ops/ that is not marked as internal, and every kernel by its name and `Kernel`. */\n' +
      [...definitions, ...ops].map((line) => `${line}\n`).join(''),
    'rules.gen.ts':
      found
        .map(({ from, ops }) => `import { ${ops.map((op) => `${op}Gradient`).join(', ')} } from '${from}';\n`)
        .join('') +
      '\n/** The gradient rule of every op that has one of its name in gradients/. */\n' +
      `export const rules = {\n${all.map((op) => `  ${op}: ${op}Gradient,\n`).join('')}};\n`,
  };
}

/** The text of a file; nothing where it is missing, of which the compiler says more. */
function textOf(src, path) {
  const file = join(src, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function tsFiles(src, folder) {
  return readdirSync(join(src, folder))
    .filter((file) => file.endsWith('.ts'))
    .sort();
}

function exportsOfDefinition(from, text) {
  const kernel = text.match(KERNEL)?.[1];
  const params = text.match(PARAMS)?.[1];
  return [
    ...(kernel ? [`export { ${kernel} as ${kernel}Kernel } from '${from}';`] : []),
    ...(params ? [`export type { ${params} } from '${from}';`] : []),
  ];
}

function exportsOfOps(from, text) {
  const shown = [...text.matchAll(EXPORT)]
    .filter(([, comment = '']) => !comment.includes('@internal'))
    .map(([, , type, name]) => `${type ? 'type ' : ''}${name}`);
  return shown.length > 0 ? [`export { ${shown.join(', ')} } from '${from}';`] : [];
}
