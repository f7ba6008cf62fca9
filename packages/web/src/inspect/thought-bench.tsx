/** A puzzle, what the model makes of it, and what goes on inside meanwhile. */
import { brokenCells } from 'hrm-webgpu/puzzles';
import { useEffect, useState } from 'preact/hooks';
import { Board } from '../boards/board.tsx';
import type { ModelInfo } from '../engine/api.ts';
import type { EngineClient } from '../engine/client.ts';
import { LookInside } from '../inside/look-inside.tsx';
import { useLook } from '../inside/use-look.ts';
import { BUNDLED } from '../models/bundled.ts';
import { PUBLISHED } from '../models/published.ts';
import { PuzzleEditor } from '../puzzle/puzzle-editor.tsx';
import { emptyGrid, randomExample } from '../puzzle/puzzles.ts';
import { SegmentsSlider } from '../thinking/segments-slider.tsx';
import { useThinking } from '../thinking/use-thinking.ts';
import { type AskedPuzzle, misfit } from './asked.ts';

export interface ThoughtBenchProps {
  engine: EngineClient;
  info: ModelInfo;
  /** One of a dataset, where somebody has chosen it. */
  puzzle: AskedPuzzle | undefined;
}

/** Puzzles of the page that a model can read. */
const knownFor = ({ task, seqLen }: ModelInfo) =>
  [...BUNDLED, ...PUBLISHED].find((model) => model.task === task && model.seqLen === seqLen);

export function ThoughtBench({ engine, info, puzzle }: ThoughtBenchProps) {
  const { thinking, start, stop, clear } = useThinking(engine, info);
  const known = knownFor(info);
  const wrong = puzzle && misfit(info, puzzle);
  const [grid, setGrid] = useState<number[][]>(() => emptyGrid(info));
  const [segments, setSegments] = useState(info.maxSteps);
  const think = (asked: number[][]) => start({ grid: asked, segments, everyStep: false }, undefined);
  // Who asks for a model or a puzzle wants to see it think.
  useEffect(() => {
    let current = true;
    const begin = (asked: number[][] | undefined) => {
      if (!asked || !current) return;
      setGrid(asked);
      think(asked);
    };
    if (puzzle && !wrong) begin(puzzle.grid);
    else randomExample(info, known).then(begin);
    return () => {
      current = false;
      clear();
    };
  }, [puzzle, wrong]);
  const replace = (next: number[][]) => {
    clear();
    setGrid(next);
  };
  const looking = useLook(thinking.inside, thinking.segments.length, true);
  const { running, trouble, asked } = thinking;
  const latest = thinking.segments[thinking.segments.length - 1];
  return (
    <div class="workbench">
      <section class="ask" aria-label="The puzzle">
        <PuzzleEditor {...{ info, grid, known }} onGrid={replace} />
        {wrong && <p class="trouble">{wrong}</p>}
        <SegmentsSlider {...{ info, segments }} onSegments={setSegments} />
        <div class="buttons">
          <button type="button" class="primary" disabled={running} onClick={() => think(grid)}>
            Think
          </button>
          <button type="button" disabled={!running} onClick={stop}>
            Stop
          </button>
        </div>
        {asked && latest && (
          <Board
            task={info.task}
            grid={latest.grid}
            givens={asked}
            label="The answer so far"
            broken={new Set(brokenCells(info.task, latest.grid, asked))}
          />
        )}
        <p class="status" role="status">
          {running && 'Thinking…'}
          {!running &&
            latest &&
            `After ${latest.segment} segments: ${latest.proven ? 'solved' : 'an answer'}.`}
          {trouble && <span class="trouble">{trouble}</span>}
        </p>
      </section>
      <section class="answer" aria-label="Inside">
        <LookInside {...{ looking }} segments={thinking.segments} />
      </section>
    </div>
  );
}
