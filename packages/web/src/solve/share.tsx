/** The puzzle and its answer for somewhere else: a link, text, a picture, an animation. */
import { puzzleText } from 'hrm-webgpu/puzzles';
import type { ModelInfo } from '../engine/api.ts';
import { useCopy } from '../files/use-copy.ts';
import { framesOf, type Thinking } from '../thinking/use-thinking.ts';
import { drawBoard, saveAnimation, saveCanvas } from './pictures.ts';

export interface ShareProps {
  info: ModelInfo;
  thinking: Thinking;
  grid: number[][];
}

/** What the answer is as text: the digits, or the maze with its path. */
function answerText({ task }: ModelInfo, grid: number[][]): string {
  if (task === 'sudoku' || task === 'latin')
    return grid
      .flat()
      .map((digit) => digit || '.')
      .join('');
  if (task === 'maze')
    return grid.map((row) => row.map((cell) => '# SGo'[cell - 1] ?? '?').join('')).join('\n');
  return JSON.stringify(grid);
}

export function Share({ info, thinking, grid }: ShareProps) {
  const { said, setSaid, copy } = useCopy();
  const frames = framesOf(thinking);
  const answer = thinking.outcome
    ? thinking.outcome.guesses.find(({ guess }) => guess === thinking.outcome?.winner)?.grid
    : frames.at(-1)?.grid;
  const name = `hrm-${info.task}-${Math.sqrt(info.seqLen)}`;
  return (
    <div class="share">
      <div class="buttons">
        <button type="button" onClick={() => copy(location.href, 'link')}>
          Copy link
        </button>
        <button type="button" onClick={() => copy(puzzleText(info.task, grid), 'puzzle')}>
          Copy puzzle
        </button>
        <button
          type="button"
          disabled={!answer}
          onClick={() => answer && copy(answerText(info, answer), 'answer')}
        >
          Copy answer
        </button>
        <button
          type="button"
          disabled={!answer}
          onClick={() => answer && saveCanvas(drawBoard(info.task, answer, grid), `${name}.png`)}
        >
          Save picture
        </button>
        <button
          type="button"
          disabled={frames.length === 0 || thinking.running}
          onClick={async () => {
            setSaid('drawing the animation…');
            await saveAnimation(info.task, frames, grid, `${name}.gif`);
            setSaid('animation saved');
          }}
        >
          Save animation
        </button>
      </div>
      <p class="hint" role="status">
        {said}
      </p>
    </div>
  );
}
