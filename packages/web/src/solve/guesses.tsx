/** Guesses side by side, and which was chosen, and why. */
import { brokenCells } from 'hrm-webgpu/puzzles';
import { Board } from '../boards/board.tsx';
import type { GuessShown, ModelInfo } from '../engine/api.ts';
import type { Thinking } from '../thinking/use-thinking.ts';

export interface GuessesProps {
  info: ModelInfo;
  thinking: Thinking;
  /** The rule that was asked for. */
  select: string;
}

const REASONS: Record<string, string> = {
  rules: 'its answer is proven by the rules of the puzzle',
  'halt-first': 'it would have halted after the fewest segments',
  'best-q': 'it is the surest that it is right (the largest q halt)',
  steady: 'its answer moved least in the end',
  vote: 'most guesses gave this answer',
  only: 'there was no other',
};

/** How the puzzle was looked at, in words. */
function viewOf({ guess, symmetry }: GuessShown): string {
  const names = Object.keys(symmetry);
  if (guess === 0) return 'as given';
  return names.length === 0 ? 'with noise' : names.join(', ');
}

export function Guesses({ info, thinking }: GuessesProps) {
  const { guesses, outcome, asked } = thinking;
  if (guesses.length === 0 || !asked) return null;
  const right = guesses.filter(({ proven }) => proven).length;
  return (
    <section class="guesses" aria-labelledby="guesses">
      <h2 id="guesses">
        {guesses.length} {guesses.length === 1 ? 'guess' : 'guesses'}
      </h2>
      {outcome && (
        <p>
          Guess {outcome.winner} was chosen, without looking at any solution:{' '}
          {REASONS[outcome.rule] ?? outcome.rule}.{right > 1 && ` ${right} of them are proven.`}
        </p>
      )}
      <ol class="boards">
        {guesses.map((guess) => (
          <li key={guess.guess} class={guess.guess === outcome?.winner ? 'winner' : undefined}>
            <Board
              task={info.task}
              grid={guess.grid}
              givens={asked}
              size="small"
              label={`Guess ${guess.guess}`}
              broken={new Set(brokenCells(info.task, guess.grid, asked))}
            />
            <p>
              <strong>
                {guess.guess}
                {guess.guess === outcome?.winner && ' ★'}
              </strong>{' '}
              {viewOf(guess)}
              <br />
              {guess.segments} {guess.segments === 1 ? 'segment' : 'segments'}
              {guess.proven !== undefined && (guess.proven ? ', proven' : ', wrong')}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
