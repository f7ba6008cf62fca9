/** Which model thinks: one that comes with the page, or a file. */

import type { ModelSource } from '../engine/api.ts';
import { useDrop } from '../files/use-drop.ts';
import { BUNDLED } from '../models/bundled.ts';
import { PUBLISHED } from '../models/published.ts';
import { describe } from '../thinking/loading-line.tsx';
import type { Loading } from '../thinking/use-model.ts';
import type { SolveState } from './state.ts';

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
