import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { readSplit } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import { MazeDistances } from '../packages/hrm/src/data/maze/maze-distances.ts';
import { markShortestPath } from '../packages/hrm/src/data/maze/maze-solver.ts';
import { hrm } from './run-hrm.ts';
import { at, MAZE_ROW, rows, setOf, succeed, write } from './run-hrm-data.ts';

// Before the terminal's colours are decided on.
vi.hoisted(() => {
  process.env.NO_COLOR = '1';
});

describe('hrm data maze', () => {
  it('builds from published tables, with all eight copies in a group', async () => {
    const csv = write('maze.csv', `source,question,answer,rating\n${MAZE_ROW}`);
    const args = ['maze', '--csv', csv, '--test-csv', csv, '--size', '3', '--augment', '--out', at('maze')];
    await succeed(args);
    const train = await setOf('maze', 'train');
    expect([...train.groupIndices]).toEqual([0, 8]);
    expect(new Set(rows(train.inputs, 9)).size).toBe(8);
    expect(rows(train.inputs, 9)[0]).toBe('3 2 1 2 2 2 2 2 4');
    expect(rows(train.labels, 9)[0]).toBe('3 5 1 2 5 5 2 2 4');
    expect((await readSplit(at('maze'), 'test')).metadata).toMatchObject({ vocab_size: 6, total_groups: 1 });
  });

  it('subsamples for training only', async () => {
    const csv = write('mazes.csv', `source,question,answer,rating\n${MAZE_ROW.repeat(9)}`);
    const args = ['maze', '--csv', csv, '--test-csv', csv, '--size', '3', '--subsample', '2', '--out'];
    await succeed([...args, at('few-mazes')]);
    expect((await setOf('few-mazes', 'train')).groupIndices).toHaveLength(3);
    expect((await setOf('few-mazes', 'test')).groupIndices).toHaveLength(10);
  });

  it('makes mazes', async () => {
    const args = [
      'maze',
      '--generate',
      '6',
      '--test',
      '3',
      '--size',
      '10',
      '--min-path',
      '20',
      '--seed',
      '4',
    ];
    await succeed([...args, '--out', at('made')]);
    for (const [split, count] of [
      ['train', 6],
      ['test', 3],
    ] as const) {
      const labels = rows((await setOf('made', split)).labels, 100);
      expect(labels).toHaveLength(count);
      for (const label of labels) expect(label.split('5').length - 1).toBeGreaterThan(19);
    }
  });

  it('marks the copies of made mazes by the rule for mazes', async () => {
    const args = [
      'maze',
      '--generate',
      '4',
      '--size',
      '8',
      '--min-path',
      '9',
      '--augment',
      '--out',
      at('turned'),
    ];
    await succeed(args);
    const { inputs, labels } = await setOf('turned', 'train');
    const distances = new MazeDistances(8);
    const marked = rows(inputs, 64).map((row) =>
      markShortestPath(Uint8Array.from(row.split(' '), Number), distances)!.join(' '),
    );
    expect(marked).toHaveLength(32);
    expect(rows(labels, 64)).toEqual(marked);
  });
});

it('ends at Ctrl-C while it looks for one maze', async () => {
  let stopped = 0;
  const started = (kill: (signal: NodeJS.Signals) => void) =>
    setTimeout(() => {
      stopped = performance.now();
      kill('SIGINT');
    }, 1500);
  const args = ['data', 'maze', '--generate', '5', '--min-path', '400', '--out', at('long')];
  const run = await hrm(args, { onStart: started });
  expect(run).toMatchObject({
    code: 130,
    stderr: expect.stringContaining('interrupted; nothing was written'),
  });
  expect(performance.now() - stopped).toBeLessThan(2500);
  expect(existsSync(at('long'))).toBe(false);
});
