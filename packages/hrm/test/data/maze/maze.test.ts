import { Philox, UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { DIHEDRAL_INVERSES, DIHEDRALS, dihedralWalk } from '../../../src/data/dihedral.ts';
import { breather } from '../../../src/data/input/breather.node.ts';
import { canonicalUnderDihedrals, dihedralCopies, MAZE } from '../../../src/data/maze/maze.ts';
import { MazeDistances } from '../../../src/data/maze/maze-distances.ts';
import { MazeGenerator } from '../../../src/data/maze/maze-generator.ts';
import { markShortestPath } from '../../../src/data/maze/maze-solver.ts';
import { mazePair } from '../../../src/data/maze/maze-text.ts';
import { parsePuzzle } from '../../../src/puzzles/parse-puzzle.ts';
import { puzzleText } from '../../../src/puzzles/puzzle-text.ts';
import { randomMaze } from '../../../src/puzzles/random-maze.ts';

const tokens = (text: string) => Uint8Array.from(text, (character) => '# SGo'.indexOf(character) + 1);
const text = (maze: Uint8Array) => [...maze].map((token) => '# SGo'[token - 1]).join('');

/** Lengths of shortest paths by Bellman and Ford: relaxes all edges until nothing changes. */
function plainDistance(maze: Uint8Array, size: number): number {
  const distance = Array.from(maze, (cell) => (cell === MAZE.start ? 0 : Number.POSITIVE_INFINITY));
  for (let changed = true; changed; ) {
    changed = false;
    for (let cell = 0; cell < maze.length; cell++) {
      if (maze[cell] === MAZE.wall) continue;
      const [row, column] = [Math.floor(cell / size), cell % size];
      for (const [r, c] of [
        [row - 1, column],
        [row + 1, column],
        [row, column - 1],
        [row, column + 1],
      ]) {
        if (r < 0 || c < 0 || r >= size || c >= size || maze[r * size + c] === MAZE.wall) continue;
        if (distance[r * size + c] + 1 < distance[cell]) {
          distance[cell] = distance[r * size + c] + 1;
          changed = true;
        }
      }
    }
  }
  return distance[maze.indexOf(MAZE.goal)];
}

describe('dihedral transforms', () => {
  const apply = (id: number, cells: string, rows: number, columns: number) => {
    const [first, down, right, swap] = dihedralWalk(id, rows, columns);
    const [newRows, newColumns] = swap ? [columns, rows] : [rows, columns];
    const from = (i: number) => first + Math.floor(i / newColumns) * down + (i % newColumns) * right;
    const moved = [...cells].map((_, i) => cells[from(i)]).join('');
    return { rows: newRows, columns: newColumns, cells: moved };
  };

  // numpy: a = [[a, b, c], [d, e, f]]; np.rot90(a, k), np.fliplr(a), np.flipud(a), a.T, np.fliplr(np.rot90(a))
  it.each([
    [0, 'abcdef', 2],
    [1, 'cfbead', 3],
    [2, 'fedcba', 2],
    [3, 'daebfc', 3],
    [4, 'cbafed', 2],
    [5, 'defabc', 2],
    [6, 'adbecf', 3],
    [7, 'fcebda', 3],
  ])('%i turns abc/def into %s with %i rows', (id, cells, rows) => {
    expect(apply(id, 'abcdef', 2, 3)).toMatchObject({ cells, rows, columns: 6 / rows });
    const back = apply(DIHEDRAL_INVERSES[id], cells, rows, 6 / rows);
    expect(back).toMatchObject({ cells: 'abcdef', rows: 2, columns: 3 });
  });

  it('gives mazes one canonical form', () => {
    const input = tokens('S ##  # G');
    const copies = dihedralCopies({ input, label: input });
    expect(copies).toHaveLength(DIHEDRALS);
    expect(new Set(copies.map((copy) => text(copy.input))).size).toBe(8);
    expect(new Set(copies.map((copy) => canonicalUnderDihedrals(copy.input))).size).toBe(1);
    expect(canonicalUnderDihedrals(tokens('S ##  # #'))).not.toBe(canonicalUnderDihedrals(input));
  });
});

describe('markShortestPath', () => {
  it('takes the first possible step of up, left, right, down', () => {
    expect(text(markShortestPath(tokens('S       G'), new MazeDistances(3))!)).toBe('Soo  o  G');
    expect(text(markShortestPath(tokens('G       S'), new MazeDistances(3))!)).toBe('Goo  o  S');
    expect(text(markShortestPath(tokens('  S   G  '), new MazeDistances(3))!)).toBe('ooSo  G  ');
  });

  it('does not walk through walls or over edges', () => {
    expect(text(markShortestPath(tokens('S#   #G# '), new MazeDistances(3))!)).toBe('S# o #G# ');
    expect(markShortestPath(tokens('S###    G'), new MazeDistances(3))).toBeUndefined();
    // The last cell of a row is no neighbour of the first one of the next.
    expect(markShortestPath(tokens('##SG#####'), new MazeDistances(3))).toBeUndefined();
  });
});

describe('MazeGenerator', () => {
  it('makes hard mazes, each with a shortest path', async () => {
    const generator = new MazeGenerator(30, 110, new Philox(3));
    for (let i = 0; i < 10; i++) {
      const { input, label } = await generator.next();
      const steps = label.filter((token) => token === MAZE.path).length + 1;
      expect(steps).toBeGreaterThan(110);
      expect(steps).toBe(plainDistance(input, 30));
      expect(mazePair(30, text(input), text(label))).toEqual({ input, label });
    }
  });

  it('makes no maze twice, turned or flipped, and says when there are no more', async () => {
    const generator = new MazeGenerator(3, 3, new Philox(0));
    const forms = new Set<string>();
    const makeAll = async () => {
      for (;;) {
        const { input } = await generator.next();
        const form = canonicalUnderDihedrals(input);
        expect(forms.has(form)).toBe(false);
        forms.add(form);
      }
    };
    await expect(makeAll()).rejects.toThrow(UserError);
    expect(forms.size).toBeGreaterThan(20);
  });

  it('lets its caller stop a search that finds nothing', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const generator = new MazeGenerator(30, 899, new Philox(0));
    const started = performance.now();
    const made = generator.next(breather(controller.signal));
    await expect(made).rejects.toThrow(/aborted/);
    // All its tries take many seconds.
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('published mazes', () => {
  it.each([
    ['S G', 'S G', /has 3 characters, expected 9/],
    ['S  x    G', 'Soo  o  G', /question has "x" as character 4/],
    ['S        ', 'S        ', /goal G 0 times/],
    ['S  S    G', 'S  S    G', /start S 2 times/],
    ['S#      G', 'Soo  o  G', /contradicts the question at row 1, column 2: 'o' where '#'/],
    ['S       G', 'S    o  G', /does not lead from S to G/],
  ])('refuses %j → %j', (question, answer, problem) => {
    expect(mazePair(3, question, answer)).toMatch(problem);
  });

  it('become tokens 1 to 5', () => {
    expect(mazePair(3, 'S #     G', 'Soo#o   G')).toMatch(/contradicts/);
    expect(mazePair(3, 'S #     G', 'So# oo  G')).toEqual({
      input: Uint8Array.of(3, 2, 1, 2, 2, 2, 2, 2, 4),
      label: Uint8Array.of(3, 5, 1, 2, 5, 5, 2, 2, 4),
    });
  });
});

it('randomMaze draws a maze as long as it is asked for, the same for the same seed, and lets others have their turn', async () => {
  let breaths = 0;
  const options = { minPath: 8, seed: 5, breathe: () => breaths++ };
  const maze = await randomMaze(9, options);
  expect(breaths).toBeGreaterThan(0);
  expect(plainDistance(Uint8Array.from(maze.flat()), 9)).toBeGreaterThan(8);
  expect(await randomMaze(9, options)).toEqual(maze);
  expect(await randomMaze(9, { ...options, seed: 6 })).not.toEqual(maze);
  expect(parsePuzzle(puzzleText('maze', maze))).toMatchObject({ task: 'maze', grid: maze });
});
