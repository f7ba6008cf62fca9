/** The recorded thought from inside, where there is no GPU. */
import { useMemo } from 'preact/hooks';
import { Board } from '../boards/board.tsx';
import { LookInside } from '../inside/look-inside.tsx';
import type { Recording } from '../recording/recording.ts';
import { useRecording } from '../recording/use-recording.ts';

export function RecordedThought() {
  const { recording, trouble } = useRecording();
  if (trouble) return <p class="trouble">The recording cannot be loaded: {trouble}.</p>;
  return recording ? <Recorded recording={recording} /> : null;
}

function Recorded({ recording: { adapter, model, info, grid, segments, look } }: { recording: Recording }) {
  const looking = useMemo(() => ({ look }), [look]);
  return (
    <>
      <p class="about">
        A recording: this browser has no GPU to think with. Made on {adapter} with the model {model} of this
        page.
      </p>
      <div class="workbench">
        <section class="ask" aria-label="The puzzle">
          <Board
            task={info.task}
            grid={segments[segments.length - 1].grid}
            givens={grid}
            label="The puzzle and its answer"
          />
        </section>
        <section class="answer" aria-label="Inside">
          <LookInside {...{ segments, looking }} />
        </section>
      </div>
    </>
  );
}
