/** How long to think. */
import type { ModelInfo } from '../engine/api.ts';

export interface SegmentsSliderProps {
  info: ModelInfo;
  segments: number;
  onSegments: (segments: number) => void;
}

/** Times as many as a model was trained to think: thinking on helps some models, and what others do there is worth a look. */
const BEYOND = 4;

export function SegmentsSlider({ info, segments, onSegments }: SegmentsSliderProps) {
  return (
    <label class="slider">
      <span>
        Think <strong>{segments}</strong> {segments === 1 ? 'segment' : 'segments'}
      </span>
      <input
        type="range"
        min="1"
        max={BEYOND * info.maxSteps}
        value={segments}
        onInput={({ currentTarget }) => onSegments(Number(currentTarget.value))}
      />
    </label>
  );
}
