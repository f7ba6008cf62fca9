/** How long to think, and how often. */
import type { Rule } from 'hrm-webgpu';
import type { ModelInfo } from '../engine/api.ts';
import { SegmentsSlider } from '../thinking/segments-slider.tsx';
import { MOST_GUESSES, MOST_NOISE, RULES, type SolveState } from './state.ts';

export interface ControlsProps {
  state: SolveState;
  change: (part: Partial<SolveState>) => void;
  info: ModelInfo;
  steps: number;
  running: boolean;
  onThink: () => void;
  onStop: () => void;
  /** Why nothing can be thought here, where that is so. */
  unusable?: string;
}

export function Controls(props: ControlsProps) {
  const { state, change, info, steps, running, onThink, onStop, unusable } = props;
  const { guesses, noise, seed, select, everyStep } = state;
  return (
    <form
      class="controls"
      onSubmit={(event) => {
        event.preventDefault();
        onThink();
      }}
    >
      <fieldset disabled={unusable !== undefined} aria-describedby={unusable && 'unusable'}>
        <SegmentsSlider info={info} segments={steps} onSegments={(wanted) => change({ steps: wanted })} />
        <label class="slider">
          <span>
            Make <strong>{guesses}</strong> {guesses === 1 ? 'guess' : 'guesses'}
          </span>
          <input
            type="range"
            min="1"
            max={MOST_GUESSES}
            value={guesses}
            onInput={({ currentTarget }) => change({ guesses: Number(currentTarget.value) })}
          />
        </label>
        <details>
          <summary>More</summary>
          <label class="check">
            <input
              type="checkbox"
              checked={everyStep}
              onChange={({ currentTarget }) => change({ everyStep: currentTarget.checked })}
            />
            <span>Show the answer after every fast step</span>
          </label>
          <label class="field">
            <span>Noise on guesses (σ)</span>
            <input
              type="number"
              min="0"
              max={MOST_NOISE}
              step="0.1"
              value={noise}
              onChange={({ currentTarget }) => change({ noise: currentTarget.valueAsNumber || 0 })}
            />
          </label>
          <label class="field">
            <span>Seed</span>
            <input
              type="number"
              min="0"
              step="1"
              value={seed}
              onChange={({ currentTarget }) => change({ seed: Math.trunc(currentTarget.valueAsNumber) || 0 })}
            />
          </label>
          <label class="field">
            <span>Choose by</span>
            <select
              value={select}
              onChange={({ currentTarget }) => change({ select: currentTarget.value as Rule | 'auto' })}
            >
              {RULES.map((rule) => (
                <option key={rule} value={rule}>
                  {rule}
                </option>
              ))}
            </select>
          </label>
        </details>
        <div class="buttons">
          <button type="submit" class="primary" disabled={running}>
            Think
          </button>
          <button type="button" onClick={onStop} disabled={!running}>
            Stop
          </button>
        </div>
      </fieldset>
      {unusable && (
        <p class="hint" id="unusable">
          {unusable}
        </p>
      )}
    </form>
  );
}
