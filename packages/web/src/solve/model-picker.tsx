/** Which model thinks: one that comes with the page, or a file. */

import type { ModelSource } from '../engine/api.ts';
import { useDrop } from '../files/use-drop.ts';
import { BUNDLED } from '../models/bundled.ts';
import { PUBLISHED } from '../models/published.ts';
import type { SolveState } from './state.ts';
import type { Loading } from './use-model.ts';

export interface ModelPickerProps {
  state: SolveState;
  /** Undefined while there is nothing to be loaded yet. */
  loading: Loading | undefined;
  source: ModelSource | undefined;
  onChange: (part: Partial<SolveState>) => void;
  onFile: (file: File, config?: string) => void;
}

/** The weights among the files that were chosen, and the configuration that lies beside published ones. */
async function takeFiles(files: Iterable<File>, onFile: ModelPickerProps['onFile']) {
  const chosen = [...files];
  const config = chosen.find(({ name }) => /\.ya?ml$/i.test(name));
  const weights = chosen.find((file) => file !== config);
  if (weights) onFile(weights, await config?.text());
}

export function ModelPicker({ state, loading, source, onChange, onFile }: ModelPickerProps) {
  useDrop(({ files }) => takeFiles(files, onFile));
  const known = [...BUNDLED, ...PUBLISHED].find(({ id }) => id === state.model);
  const name = source && 'file' in source ? source.name : undefined;
  return (
    <section class="models" aria-label="The model">
      <div class="choices" role="radiogroup" aria-label="Model">
        {[...BUNDLED, ...PUBLISHED].map(({ id, title }) => (
          <label key={id} class="choice">
            <input
              type="radio"
              name="model"
              checked={state.model === id}
              onChange={() => onChange({ model: id, puzzle: '', steps: undefined })}
            />
            <span>{title}</span>
          </label>
        ))}
        <label class={`choice file ${name && state.model === 'file' ? 'chosen' : ''}`}>
          <input
            type="file"
            multiple
            class="visually-hidden"
            aria-label="Checkpoint file"
            onChange={({ currentTarget }) => takeFiles(currentTarget.files ?? [], onFile)}
          />
          <span>{state.model === 'file' && name ? name : 'Your checkpoint…'}</span>
        </label>
      </div>
      <p class="about" role="status">
        {loading ? describe(loading, known?.about) : known?.about}
      </p>
    </section>
  );
}

/** How far the loading is, or what was loaded. */
export function describe(loading: Loading, about: string | undefined) {
  if (loading.state === 'failed') return <span class="trouble">{loading.message}</span>;
  if (loading.state === 'loading') {
    const { bytes, total } = loading;
    if (!total) return 'Loading the model…';
    return (
      <>
        Loading the model… <progress value={bytes} max={total} aria-label="Loading" />
      </>
    );
  }
  const { hiddenSize, parameters, cycles, maxSteps } = loading.info;
  const size = (parameters / 1e6).toFixed(parameters < 1e7 ? 2 : 0);
  return `${about ? `${about}; ` : `${size} million numbers; `}hidden size ${hiddenSize}, ${cycles.H} × ${cycles.L} steps a segment, trained to think up to ${maxSteps} segments`;
}
