/** What is said of a model that is loaded, or being loaded. */
import type { Loading } from './use-model.ts';

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
