/** Guesses are chosen and judged; nothing on that way solves, searches for or repairs an answer. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const src = fileURLToPath(new URL('../packages/hrm/src', import.meta.url));
const IMPORT = /\b(?:from|import\()\s*'(\.[^']+)'/g;

/** The files that are reached from some, by imports of values and of types. */
function reachedFrom(roots: readonly string[]): Set<string> {
  const reached = new Set(roots);
  for (const path of reached)
    for (const [, target] of readFileSync(join(src, path), 'utf8').matchAll(IMPORT))
      reached.add(relative(src, join(src, dirname(path), target)));
  return reached;
}

const filesIn = (folder: string) => readdirSync(join(src, folder)).map((file) => `${folder}/${file}`);
/** What finds answers by itself, or makes puzzles with them. */
const solvers = (readdirSync(src, { recursive: true }) as string[]).filter((path) =>
  /(solver|solutions|generator|sudoku-dataset)\.ts$/.test(path),
);

it.each(['guesses', 'tasks'])('nothing in %s/ reaches a solver', (folder) => {
  const reached = reachedFrom(filesIn(folder));
  expect(reached.size).toBeGreaterThan(filesIn(folder).length);
  expect(solvers.filter((path) => reached.has(path))).toEqual([]);
});

it('finds a solver that is reached', () => {
  expect(solvers).toContain('data/sudoku/sudoku-solver.ts');
  expect(solvers).toContain('data/maze/maze-solver.ts');
  expect(reachedFrom(['puzzles/verdict.ts'])).toContain('data/sudoku/sudoku-solver.ts');
});
