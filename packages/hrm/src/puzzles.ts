/** What a person's puzzle needs besides a model: reading and writing it, its rules, and what an answer to it is worth. Runs anywhere. */

export { brokenCells } from './puzzles/broken-cells.ts';
export { meantBy, type ParseOptions, type PuzzleInput, parsePuzzle } from './puzzles/parse-puzzle.ts';
export { puzzleText } from './puzzles/puzzle-text.ts';
export { type RandomMazeOptions, randomMaze } from './puzzles/random-maze.ts';
export { type Answered, prospectOf, type Verdict, verdictOn } from './puzzles/verdict.ts';
export { decodeGrid, encodeGrid, type Grid, type Task, type TokenSizes } from './tasks/tasks.ts';
