import { expect, it } from 'vitest';
import { checkerOf } from '../../src/tasks/checkers.ts';
import type { Task } from '../../src/tasks/tasks.ts';

const digits = (text: string) => Int32Array.from(text, (character) => Number(character) + 1);
const maze = (text: string) => Int32Array.from(text, (character) => '# SGo'.indexOf(character) + 1);

it.each<[Task, (text: string) => Int32Array, string, string, boolean]>([
  ['sudoku', digits, '1000000000000000', '1234341221434321', true],
  ['sudoku', digits, '2000000000000000', '1234341221434321', false],
  ['sudoku', digits, '1000000000000000', '1234341221434320', false],
  ['sudoku', digits, '1000000000000000', '1234341221434322', false],
  // Right in rows and columns, not in boxes.
  ['sudoku', digits, '1000000000000000', '1234234134124123', false],
  ['latin', digits, '1000000000000000', '1234234134124123', true],
  ['latin', digits, '1000000000000000', '1234234134124122', false],
  ['latin', digits, '3000000000000000', '1234234134124123', false],
  ['latin', digits, '1000000000000000', '1234234134120123', false],
  ['maze', maze, 'S    # # G#     ', 'So  o# # G#     '.replace('So', 'S '), false],
  ['maze', maze, 'S G #     #     ', 'SoG #     #     ', true],
  // A way round, and one that redraws a wall.
  ['maze', maze, 'S G             ', 'S G ooo         ', false],
  ['maze', maze, 'S G #     #     ', 'SoG       #     ', false],
])('%s %#', (task, tokens, puzzle, answer, proven) => {
  const checker = checkerOf(task, { seq_len: 16 });
  expect(checker?.(tokens(puzzle), tokens(answer))).toBe(proven);
});

it.each<Task>(['arc', 'none'])('%s has none', (task) => {
  expect(checkerOf(task, { seq_len: 900 })).toBeUndefined();
});
