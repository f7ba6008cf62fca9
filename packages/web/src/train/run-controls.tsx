/** Pause, go on, slower, faster; and what can be done with what has been learned. */
import { useEffect, useRef } from 'preact/hooks';
import type { Phase, RunShown, Snapshot } from '../training/api.ts';
import type { TrainerClient } from '../training/client.ts';

export interface RunControlsProps {
  snapshot: Snapshot;
  share: number;
  goesOnHidden: boolean;
  trainer: TrainerClient;
  usable: boolean;
  onDownload: () => void;
  onUse: () => void;
}

export function RunControls(props: RunControlsProps) {
  const { snapshot, share, goesOnHidden, trainer, onDownload, onUse } = props;
  const { phase, losses, unsaved, note, trouble } = snapshot;
  const loaded = phase === 'running' || phase === 'paused' || phase === 'finished';
  return (
    <div class="run-controls">
      <div class="buttons">
        <MoveButton {...props} />
        <button type="button" disabled={!loaded} onClick={onUse}>
          Use it in Solve
        </button>
        <button type="button" disabled={!loaded} onClick={onDownload}>
          Download checkpoint
        </button>
      </div>
      <label class="slider">
        <span>
          Slower or faster: it takes <strong>{Math.round(100 * share)} %</strong> of the GPU’s time
        </span>
        <input
          type="range"
          min="10"
          max="100"
          step="10"
          value={Math.round(100 * share)}
          onInput={({ currentTarget }) => trainer.setShare(Number(currentTarget.value) / 100)}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={goesOnHidden}
          onChange={({ currentTarget }) => trainer.setGoesOnHidden(currentTarget.checked)}
        />
        <span>Go on while this tab is hidden</span>
      </label>
      {losses > 0 && !trouble && (
        <p class="hint" role="status">
          The GPU was lost {losses === 1 ? 'once' : `${losses} times`} and opened again; the run goes on from
          a copy of its state, to the same numbers.
        </p>
      )}
      {note && <p class="hint">{note}</p>}
      {unsaved && (
        <p class="trouble" role="alert">
          This browser does not let the page keep files ({unsaved}): the run is gone when the tab is closed,
          unless you download its checkpoint.
        </p>
      )}
    </div>
  );
}

/** What moves the run on, or stops it: one button, for there is one thing to do at a time, and it keeps the focus. */
function MoveButton({ snapshot: { phase, run }, trainer, usable }: RunControlsProps) {
  const button = useRef<HTMLButtonElement>(null);
  // Whoever started the run by the keyboard goes on from here.
  useEffect(() => {
    if (phase === 'preparing') button.current?.focus();
  }, [phase]);
  const [text, act] = moveOf(phase, run, trainer);
  if (!text) return null;
  return (
    <button
      type="button"
      class="primary"
      ref={button}
      aria-disabled={!act || !usable}
      onClick={() => usable && act?.()}
    >
      {text}
    </button>
  );
}

/** What the button says, and does; nothing for what cannot be done yet. */
function moveOf(phase: Phase, run: RunShown | undefined, trainer: TrainerClient): [string?, (() => void)?] {
  if (phase === 'running') return ['Pause', () => trainer.pause()];
  if (phase === 'preparing' || phase === 'pausing') return ['Pause'];
  if (!run || phase === 'finished' || phase === 'elsewhere') return [];
  const goOn = `Go on from step ${run.step}`;
  if (phase === 'paused') return [goOn, () => trainer.goOn()];
  return [run.step < run.settings.steps ? goOn : 'Open the finished run', () => trainer.resume()];
}
