/** Fetching a published checkpoint: one button, and what comes of it. */
import { byteSize } from '../wording/sizes.ts';
import type { PublishedModel } from './published.ts';
import type { useDownload } from './use-download.ts';

export interface PublishedPanelProps {
  model: PublishedModel;
  download: ReturnType<typeof useDownload>;
}

export function PublishedPanel({ model, download: { fetching, start, stop, remove } }: PublishedPanelProps) {
  const { state, bytes, total, trouble, noRoom } = fetching;
  const host = new URL(model.weights).host;
  return (
    <div class="published">
      {trouble && (
        <p class="trouble" role="alert">
          The download has stopped: {trouble}.
        </p>
      )}
      {(state === 'absent' || state === 'partial') && (
        <p>
          These weights are not part of the page: they come from{' '}
          <a href={model.page} rel="noreferrer">
            {host}
          </a>
          , once, and are kept in this browser.
        </p>
      )}
      <div class="buttons">
        {state === 'absent' && (
          <button type="button" class="primary" onClick={start}>
            Fetch the checkpoint
          </button>
        )}
        {state === 'partial' && (
          <button type="button" class="primary" onClick={start}>
            {bytes > 0 ? `Go on (${byteSize(bytes)} are here)` : 'Try again'}
          </button>
        )}
        {state === 'fetching' && (
          <>
            <progress value={bytes} max={total} aria-label="Download" />
            <span>
              {byteSize(bytes)}
              {total !== undefined && ` of ${byteSize(total)}`}
            </span>
            <button type="button" onClick={stop}>
              Stop
            </button>
          </>
        )}
        {(state === 'there' || (state === 'partial' && bytes > 0)) && (
          <button type="button" onClick={remove}>
            Remove it from this browser
          </button>
        )}
      </div>
      {noRoom && (
        <p class="hint">This browser has no room to keep it: it is in memory until the page is closed.</p>
      )}
    </div>
  );
}
