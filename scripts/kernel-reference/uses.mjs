// Who uses which kernel, read from the sources: which top-level declarations mention a kernel's definition, themselves or through
// others.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DECLARATION = /^(export )?(?:async )?(?:function|const|class) (\w+)/gm;
/** A name that is no property of something; spread is not access. */
const WORD = /(?<!(?<!\.\.)\.)\b[A-Za-z_]\w*/g;
const IMPORT = /^import \{([^}]*)\} from '([^']+)';$/gm;

/** Files by their path in `src`, generated ones left out. */
function filesOf(src) {
  const paths = readdirSync(src, { recursive: true }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.gen.ts'),
  );
  return new Map(paths.sort().map((path) => [path, parse(readFileSync(join(src, path), 'utf8'))]));
}

/** What a file imports, by the name that it has there, and its declarations with all the words in them. */
function parse(source) {
  const text = source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) =>
    comment.includes('@internal') ? '/*@internal*/' : '',
  );
  const imports = new Map();
  for (const [, names, from] of text.matchAll(IMPORT)) {
    for (const name of names.split(',').map((part) => part.trim())) {
      const [imported, local = imported] = name.split(' as ');
      if (name && !name.startsWith('type ')) imports.set(local, { imported, from });
    }
  }
  const starts = [...text.matchAll(DECLARATION)];
  const declarations = new Map(
    starts.map((match, i) => [
      match[2],
      {
        exported: match[1] !== undefined && !text.slice(0, match.index).trimEnd().endsWith('/*@internal*/'),
        words: new Set(text.slice(match.index, starts[i + 1]?.index).match(WORD)),
      },
    ]),
  );
  return { imports, declarations };
}

/** The kernels that declarations of packages/kernels reach; `seen` ends circles. */
function reachIn(files) {
  const reach = (path, name, seen = new Set()) => {
    const key = `${path} ${name}`;
    const file = files.get(path);
    if (seen.has(key) || !file?.declarations.has(name)) return [];
    seen.add(key);
    return [...file.declarations.get(name).words].flatMap((word) => {
      if (word === name) return [];
      if (file.declarations.has(word)) return reach(path, word, seen);
      const found = file.imports.get(word);
      if (!found) return [];
      const target = targetOf(path, found.from);
      const kernel = target.match(/^defs\/(\w+)\.ts$/)?.[1];
      return kernel ? [kernel] : reach(target, found.imported, seen);
    });
  };
  return (path, name) => [...new Set(reach(path, name))].sort();
}

function targetOf(path, from) {
  if (from === '#software-kernels') return 'software-kernels.node.ts';
  return from.startsWith('.') ? join(dirname(path), from) : from;
}

/** Ops, gradient rules and optimisers of packages/kernels, each with the kernels it runs; and files that run some besides. */
export function usesOf(packages) {
  const files = filesOf(join(packages, 'kernels/src'));
  const reach = reachIn(files);
  const exportsIn = (folder) =>
    [...files]
      .filter(([path]) => path.startsWith(`${folder}/`))
      .flatMap(([path, { declarations }]) =>
        [...declarations]
          .filter(([, { exported }]) => exported)
          .map(([name]) => ({ name, path, kernels: reach(path, name) })),
      );
  return {
    ops: exportsIn('ops').filter(({ name }) => !name.endsWith('Operation')),
    rules: exportsIn('gradients')
      .filter(({ name }) => name.endsWith('Gradient'))
      .map((rule) => ({ ...rule, op: rule.name.slice(0, -'Gradient'.length) })),
    optimizers: exportsIn('optimizers'),
    within: ['checks', 'instruments'].flatMap((folder) => importersIn(files, folder)),
    elsewhere: ['hrm', 'bench'].flatMap((name) => runIn(name, join(packages, name, 'src'))),
  };
}

/** Files of a folder of packages/kernels with the kernels whose definitions they import. */
function importersIn(files, folder) {
  return [...files]
    .filter(([path]) => path.startsWith(`${folder}/`))
    .map(([path, { imports }]) => ({
      path: `packages/kernels/src/${path}`,
      kernels: [...imports.values()].flatMap(({ from }) => from.match(/\/defs\/(\w+)\.ts$/)?.slice(1) ?? []),
    }));
}

/** Files of another package with the kernels that they import, `reluKernel`, or take the check of, `typedChecks.relu`. */
function runIn(name, src) {
  return [...filesOf(src)].map(([path, { imports }]) => ({
    path: `packages/${name}/src/${path}`,
    kernels: [...imports.values()]
      .filter(({ imported, from }) => from === '@hrm-webgpu/kernels' && imported.endsWith('Kernel'))
      .map(({ imported }) => imported.slice(0, -'Kernel'.length)),
    checks: [...readFileSync(join(src, path), 'utf8').matchAll(/\btypedChecks\.(\w+)/g)].map(
      ([, kernel]) => kernel,
    ),
  }));
}
