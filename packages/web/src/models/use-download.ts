/** A published checkpoint on its way into the page. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { download } from './download.ts';
import { CachedParts, clearKept, listKept } from './part-store.ts';
import type { PublishedModel } from './published.ts';

export interface Fetching {
  state: 'looking' | 'absent' | 'partial' | 'fetching' | 'there';
  /** That are here. */
  bytes: number;
  /** Of the file; undefined while it is not known. */
  total?: number;
  /** The weights and the text of all_config.yaml, once both are there. */
  model?: { file: Blob; config: string };
  /** Why it stopped. */
  trouble?: string;
  /** The browser has no room: the file is in memory, and gone when the page is closed. */
  noRoom?: boolean;
}

const LOOKING: Fetching = { state: 'looking', bytes: 0 };

/** @param chosen undefined while none is */
export function useDownload(chosen: PublishedModel | undefined) {
  const [fetching, setFetching] = useState<Fetching>(LOOKING);
  const work = useRef<AbortController | undefined>(undefined);
  const start = useCallback(async () => {
    if (!chosen) return;
    work.current?.abort();
    const own = new AbortController();
    work.current = own;
    const update = (part: Partial<Fetching>) =>
      work.current === own && setFetching((now) => ({ ...now, ...part }));
    update({ state: 'fetching', trouble: undefined });
    try {
      update({ state: 'there', model: await fetchModel(chosen, own.signal, update) });
    } catch (error) {
      const stopped = own.signal.aborted;
      update({ state: 'partial', trouble: stopped ? undefined : (error as Error).message });
    }
  }, [chosen]);
  const stop = useCallback(() => work.current?.abort(), []);
  const remove = useCallback(async () => {
    if (!chosen) return;
    work.current?.abort();
    work.current = undefined;
    await clearKept(chosen.id);
    await clearKept(`${chosen.id}.config`);
    setFetching({ state: 'absent', bytes: 0 });
  }, [chosen]);
  useEffect(() => {
    if (!chosen) return undefined;
    let current = true;
    setFetching(LOOKING);
    listKept([chosen.id]).then(([kept]) => {
      if (!current) return;
      if (kept?.complete) start();
      else setFetching({ state: kept ? 'partial' : 'absent', bytes: kept?.bytes ?? 0 });
    });
    return () => {
      current = false;
      work.current?.abort();
      work.current = undefined;
    };
  }, [chosen, start]);
  return { fetching, start, stop, remove };
}

async function fetchModel(
  { id, weights, config }: PublishedModel,
  signal: AbortSignal,
  update: (part: Partial<Fetching>) => void,
): Promise<{ file: Blob; config: string }> {
  // The small file first: where it cannot be had, the large one is of no use.
  const text = await download(config, { store: new CachedParts(`${id}.config`), signal });
  const store = new CachedParts(id, () => update({ noRoom: true }));
  const file = await download(weights, {
    ...{ store, signal },
    onProgress: (bytes, total) => update({ bytes, total }),
  });
  return { file, config: await text.text() };
}
