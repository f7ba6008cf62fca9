/** Who may import whom, types included: packages, the rooms of packages/hrm, and no circles of files or of rooms. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** From the bottom up; a package imports those before it. */
const PACKAGES = ['core', 'kernels', 'hrm', 'bench', 'web'] as const;
const PACKAGE_NAMES: Record<string, string> = {
  '@hrm-webgpu/core': 'core',
  '@hrm-webgpu/kernels': 'kernels',
  'hrm-webgpu': 'hrm',
  'hrm-webgpu-bench': 'bench',
};

/** The rooms of packages/hrm/src by floor, from the bottom up: a room imports those of lower floors. */
const HRM_FLOORS = [
  ['formats', 'environment'],
  ['data'],
  ['tasks'],
  ['puzzles', 'model'],
  ['guesses'],
  ['evaluation', 'tuning'],
  ['training'],
  ['checkpoints'],
  ['solving', 'parity', 'figures', 'runs'],
  ['cli'],
];

const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map(([, from, dynamic]) => from ?? dynamic);
}

/** Files of a package by their path in src, and the files that each imports. */
function filesOf(name: string): Map<string, string[]> {
  const src = join(root, 'packages', name, 'src');
  const paths = (readdirSync(src, { recursive: true }) as string[]).filter((path) => /\.tsx?$/.test(path));
  return new Map(
    paths.map((path) => [
      path,
      importsOf(join(src, path))
        .filter((target) => target.startsWith('.'))
        .map((target) => relative(src, join(src, dirname(path), target))),
    ]),
  );
}

/** The first circle in a graph, as the names along it; undefined where there is none. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...path, node]);
      if (found) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const found = visit(node, []);
    if (found) return found;
  }
  return undefined;
}

const folder = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

describe('imports', () => {
  it.each(PACKAGES)('of %s go to packages below it', (name) => {
    const src = join(root, 'packages', name, 'src');
    const above = [...filesOf(name).keys()].flatMap((path) =>
      importsOf(join(src, path))
        .map((target) => Object.keys(PACKAGE_NAMES).find((p) => target === p || target.startsWith(`${p}/`)))
        .filter((p) => p && PACKAGES.indexOf(PACKAGE_NAMES[p] as 'core') >= PACKAGES.indexOf(name))
        .map((p) => `${path} imports ${p}`),
    );
    expect(above).toEqual([]);
  });

  it('of packages/hrm go down through its rooms', () => {
    const floor = (path: string) => HRM_FLOORS.findIndex((rooms) => rooms.includes(folder(path)));
    const files = filesOf('hrm');
    const unknown = [...files.keys()].filter((path) => folder(path) !== '' && floor(path) < 0);
    expect(unknown).toEqual([]);
    const wrong = [...files].flatMap(([path, targets]) =>
      targets
        .filter((target) => folder(path) !== '' && folder(path) !== folder(target))
        .filter((target) => floor(target) < 0 || floor(target) >= floor(path))
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  // Device, Tensor, the stream and the tape of core are one thing in several files, and know each other's types.
  it.each(['kernels', 'hrm', 'bench', 'web'])('of %s make no circle of files', (name) => {
    expect(circleIn(filesOf(name))).toBeUndefined();
  });

  it.each(['hrm', 'bench', 'web'])('of %s make no circle of rooms', (name) => {
    const rooms = new Map<string, string[]>();
    for (const [path, targets] of filesOf(name)) {
      if (folder(path) === '') continue; // benchmarks.ts, index.ts: they name what the rooms offer
      const others = targets.map(folder).filter((room) => room !== folder(path));
      rooms.set(folder(path), [...(rooms.get(folder(path)) ?? []), ...others]);
    }
    expect(circleIn(rooms)).toBeUndefined();
  });

  it.each([
    ['hrm', 'index.ts'],
    ['hrm', 'puzzles.ts'],
    ['hrm', 'inside.ts'],
    ['bench', 'page.ts'],
  ])('of %s/src/%s reach nothing that needs Node', (name, entry) => {
    const files = filesOf(name);
    const reached = new Set([entry]);
    for (const path of reached) for (const target of files.get(path) ?? []) reached.add(target);
    expect(reached.size).toBeGreaterThan(10);
    const src = join(root, 'packages', name, 'src');
    const needNode = (path: string) =>
      path.endsWith('.node.ts') || importsOf(join(src, path)).some((target) => target.startsWith('node:'));
    expect([...reached].filter(needNode)).toEqual([]);
  });

  it('are seen by these tests', () => {
    expect(importsOf(join(root, 'packages/hrm/src/index.ts')).length).toBeGreaterThan(20);
    expect(
      circleIn(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
  });
});
