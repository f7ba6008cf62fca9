/** A thought to look at where there is no GPU to think with. */
import { useMemo } from 'preact/hooks';
import { Board } from '../boards/board.tsx';
import type { Recording } from '../recording/recording.ts';
import { useRecording } from '../recording/use-recording.ts';
import type { Thinking } from '../thinking/use-thinking.ts';
import { Controls } from './controls.tsx';
import { Guesses } from './guesses.tsx';
import { Share } from './share.tsx';
import { solveStateOf } from './state.ts';
import { ThinkingPanel } from './thinking-panel.tsx';

export function RecordedView() {
  const { recording, trouble } = useRecording();
  return (
    <>
      <h1>A network that thinks: a recording</h1>
      <p class="lead">
        A small recurrent network, the Hierarchical Reasoning Model, fills in the puzzle step by step. This
        browser has no GPU to think with, so this is what it once thought elsewhere: step through it.
      </p>
      {trouble && <p class="trouble">The recording cannot be loaded: {trouble}.</p>}
      {recording && <Recorded recording={recording} />}
    </>
  );
}

/** As if it had just been thought. */
function thinkingOf({ grid, segments, outcome, look }: Recording): Thinking {
  const inside = { look: () => Promise.resolve(look) };
  return { asked: grid, running: false, segments, guesses: outcome.guesses, outcome, inside };
}

function Recorded({ recording }: { recording: Recording }) {
  const { info, grid, adapter, model, segments, outcome } = recording;
  const thinking = useMemo(() => thinkingOf(recording), [recording]);
  const state = useMemo(
    () => ({ ...solveStateOf(new URLSearchParams()), guesses: outcome.guesses.length }),
    [outcome],
  );
  return (
    <>
      <p class="about">
        Recorded on {adapter} with the model {model} of this page.
      </p>
      <div class="workbench">
        <section class="ask" aria-label="The puzzle">
          <Board task={info.task} grid={grid} label="The puzzle" />
          <Controls
            {...{ state, info }}
            steps={segments.length}
            running={false}
            change={() => {}}
            onThink={() => {}}
            onStop={() => {}}
            unusable="To think about another puzzle, or longer, takes a GPU that this browser lets the page use."
          />
        </section>
        <section class="answer" aria-label="What the model thought">
          <ThinkingPanel {...{ info, thinking }} steps={segments.length} />
          <Guesses {...{ info, thinking }} select={outcome.rule} />
          <Share {...{ info, thinking, grid }} />
        </section>
      </div>
    </>
  );
}
