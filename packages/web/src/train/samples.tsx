/** A few puzzles that are never learned from, as the present weights answer them. */
import { Board } from '../boards/board.tsx';
import type { History, Sample } from '../training/history.ts';

/** The cells that are not as in the solution. */
function wrongCells({ answer, solution }: Sample): Set<number> {
  const right = solution.flat();
  return new Set(answer.flat().flatMap((digit, cell) => (digit === right[cell] ? [] : [cell])));
}

export function Samples({ history: { samples, points } }: { history: History }) {
  const last = points.at(-1);
  if (!last || samples.length === 0) return null;
  return (
    <section class="samples" aria-labelledby="samples">
      <h2 id="samples">Puzzles that it has never seen, answered after step {last.step}</h2>
      <ol>
        {samples.map((sample, i) => (
          <li key={sample.puzzle.join()}>
            <SampleBoard sample={sample} label={`Puzzle ${i + 1}`} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function SampleBoard({ sample, label }: { sample: Sample; label: string }) {
  const wrong = wrongCells(sample);
  const blanks = sample.puzzle.flat().filter((digit) => digit === 0).length;
  const verdict = wrong.size === 0 ? 'solved' : `${wrong.size} ${wrong.size === 1 ? 'cell' : 'cells'} wrong`;
  return (
    <>
      <Board
        task="sudoku"
        size="small"
        grid={sample.answer}
        givens={sample.puzzle}
        broken={wrong}
        fault="wrong"
        label={`${label}, ${verdict}`}
      />
      <p class={wrong.size === 0 ? 'solved' : undefined}>
        {blanks} blanks: {verdict}
      </p>
    </>
  );
}
