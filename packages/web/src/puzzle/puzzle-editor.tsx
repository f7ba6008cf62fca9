/** The puzzle, to be edited: by keys, by pointer, or by pasting text. */
import { MAZE } from 'hrm-webgpu';
import { parsePuzzle, puzzleText } from 'hrm-webgpu/puzzles';
import { useRef, useState } from 'preact/hooks';
import { Board } from '../boards/board.tsx';
import { lookOf } from '../boards/look.ts';
import { Palette } from '../boards/palette.tsx';
import type { ModelInfo } from '../engine/api.ts';
import { ArcSize } from './arc-size.tsx';
import { type Examples, emptyGrid, hasExamples, randomExample } from './puzzles.ts';

export interface PuzzleEditorProps {
  info: ModelInfo;
  grid: number[][];
  /** The model that it is for, where it is one that the page knows. */
  known: Examples | undefined;
  onGrid: (grid: number[][]) => void;
}

/** A maze has one start and one goal: where one is put, the one before it is gone. */
function withCell(task: ModelInfo['task'], grid: number[][], row: number, column: number, value: number) {
  const only = task === 'maze' && (value === MAZE.start || value === MAZE.goal);
  return grid.map((cells, r) =>
    cells.map((cell, c) => {
      if (r === row && c === column) return value;
      return only && cell === value ? MAZE.free : cell;
    }),
  );
}

const HOW_TO: Partial<Record<ModelInfo['task'], string>> = {
  sudoku: 'Arrow keys move, digits fill, Delete blanks. Or choose a cell and a digit.',
  latin: 'Arrow keys move, digits fill, Delete blanks. Or choose a cell and a digit.',
  maze: 'Draw with the pointer. Or: arrow keys move; # draws a wall, Space a free cell, S the start, G the goal.',
  arc: 'Paint with the pointer. Or: arrow keys move, 0 to 9 paint.',
};

/** The puzzle of a text, for a model that reads so many cells. */
function readText({ task, seqLen }: ModelInfo, text: string): number[][] {
  const { grid } = parsePuzzle(text, { name: 'the text' });
  const cells = grid.flat().length;
  if (task !== 'arc' && cells !== seqLen)
    throw new Error(`the text has ${cells} cells, this model reads ${seqLen}`);
  return grid;
}

export function PuzzleEditor({ info, grid, known, onGrid }: PuzzleEditorProps) {
  const { task } = info;
  const { painted, palette } = lookOf(task);
  const [problem, setProblem] = useState<string>();
  const [brush, setBrush] = useState(() => palette(grid.length)[0]);
  const cell = useRef<readonly [number, number]>([0, 0]);
  // Strokes of the pointer come faster than the page is drawn.
  const latest = useRef(grid);
  latest.current = grid;
  const put = (row: number, column: number, value: number) => {
    latest.current = withCell(task, latest.current, row, column, value);
    onGrid(latest.current);
  };
  const paste = (text: string): boolean => {
    try {
      onGrid(readText(info, text));
      setProblem(undefined);
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    }
  };
  return (
    <div
      onPaste={(event) => {
        if (event.target instanceof HTMLTextAreaElement) return;
        event.preventDefault();
        paste(event.clipboardData?.getData('text') ?? '');
      }}
    >
      <Board
        {...{ task, grid }}
        label="The puzzle"
        brush={painted ? brush : undefined}
        onCell={(...at) => {
          cell.current = at;
        }}
        onChange={put}
      />
      <Palette
        {...{ task, size: grid.length }}
        chosen={painted ? brush : undefined}
        onChoose={(value) => (painted ? setBrush(value) : put(...cell.current, value))}
      />
      {HOW_TO[task] && <p class="hint">{HOW_TO[task]}</p>}
      {task === 'arc' && <ArcSize {...{ grid, onGrid }} />}
      <div class="buttons">
        {hasExamples(info, known) && (
          <button
            type="button"
            onClick={async () => {
              const next = await randomExample(info, known, puzzleText(task, grid));
              if (next) onGrid(next);
            }}
          >
            Another example
          </button>
        )}
        <button type="button" onClick={() => onGrid(emptyGrid(info))}>
          Clear
        </button>
      </div>
      <TextEntry placeholder={puzzleText(task, grid)} onText={paste} />
      {problem && (
        <p class="trouble" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

/** @returns whether the text was taken */
function TextEntry({ placeholder, onText }: { placeholder: string; onText: (text: string) => boolean }) {
  const [text, setText] = useState('');
  return (
    <details>
      <summary>Paste a puzzle as text</summary>
      <textarea
        rows={Math.min(9, placeholder.split('\n').length + 1)}
        aria-label="Puzzle as text"
        placeholder={placeholder}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="button" disabled={text.trim() === ''} onClick={() => onText(text) && setText('')}>
        Take it
      </button>
    </details>
  );
}
