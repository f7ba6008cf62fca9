import { mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { hrm } from './run-hrm.ts';
import { at, HARD, hrmData, MAZE_ROW, succeed, write } from './run-hrm-data.ts';

// Before the terminal's colours are decided on.
vi.hoisted(() => {
  process.env.NO_COLOR = '1';
});

describe('hrm data show', () => {
  it('tells sizes and draws examples, in text and on a page', async () => {
    const list = write('show.txt', HARD.join('\n'));
    await succeed(['sudoku', '--puzzles', list, '--augment', '3', '--out', at('shown')]);
    const run = await succeed([
      'show',
      at('shown'),
      '--from',
      '4',
      '--count',
      '2',
      '--html',
      at('page.html'),
    ]);
    expect(run.stdout).toMatch(
      /seq_len 81 \(9×9\), vocab_size 11.*\n {2}task sudoku\n {2}set all: 3 groups, 12 puzzles, 12 examples/,
    );
    expect(run.stdout).toContain('train, set all, group 1, puzzle 4, example 4: "<blank>"');
    expect(run.stdout).toContain(' 9 8 · │ 7 · · │ 6 · · ');
    expect(run.stdout).not.toContain('\x1b');
    const page = readFileSync(at('page.html'), 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page).not.toContain('<blank>');
  });

  it('draws mazes in colours where there are colours', async () => {
    const csv = write('show-maze.csv', `question,answer\n${MAZE_ROW.split(',').slice(1, 3).join(',')}\n`);
    await succeed(['maze', '--csv', csv, '--size', '3', '--out', at('shown-maze')]);
    expect((await succeed(['show', at('shown-maze')])).stdout).toContain(
      'S #     So#\n     →   oo\n  G       G',
    );
    const env = { FORCE_COLOR: '1', NO_COLOR: undefined };
    const { stdout } = await hrm(['data', 'show', at('shown-maze')], { env });
    expect(stdout).toContain('\x1b[38;2;40;160;70m\x1b[48;2;240;240;235m▀');
  });

  it('draws numbers, and refuses what is no dataset', async () => {
    const file = write('numbers.jsonl', '{"input": [[0, 11]], "output": [[3, 4]]}');
    await succeed(['jsonl', file, '--out', at('numbers')]);
    expect((await succeed(['show', at('numbers')])).stdout).toMatch(/^ 1 12 {2}→ {2}4 5$/m);
    mkdirSync(at('empty'));
    for (const [args, message] of [
      [[at('empty')], /holds no splits/],
      [[at('none')], /none: cannot read: no such file/],
      [[at('numbers'), '--split', 'test'], /has no split 'test'. Splits: train/],
      [[at('numbers'), '--task', 'sudoku'], /2 tokens of 13 kinds are no sudoku/],
      [[at('numbers'), '--from', '1'], /--from 1: there are 1 examples/],
    ] as const) {
      const run = await hrmData(['show', ...args]);
      expect(run.stderr).toMatch(message);
      expect(run.code).toBe(1);
    }
  });
});
