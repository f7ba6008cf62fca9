/**
 * What grids mean:
 * - `sudoku`: n × n digits, 0 for a blank;
 * - `latin`: the same without boxes: each digit once in every row and column;
 * - `maze`: n × n cells: 1 wall, 2 free, 3 start, 4 goal, 5 path;
 * - `arc`: 1 to 30 rows of 1 to 30 colours, 0 to 9; answers are cropped to their colours, as published;
 * - `none`: anything else, the tokens themselves, as many as the model reads.
 */
export type Task = 'sudoku' | 'latin' | 'maze' | 'arc' | 'none';

export const TASKS: readonly Task[] = ['sudoku', 'latin', 'maze', 'arc', 'none'];
