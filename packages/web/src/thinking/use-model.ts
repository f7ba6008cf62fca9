/** The model that the view works with: loaded when it is chosen, in the worker. */
import { useEffect, useState } from 'preact/hooks';
import type { ModelInfo, ModelSource } from '../engine/api.ts';
import type { EngineClient } from '../engine/client.ts';

export type Loading =
  | { state: 'loading'; bytes: number; total?: number }
  | { state: 'ready'; info: ModelInfo; turn: number }
  | { state: 'failed'; message: string };

/** Models that have been loaded: what is known of one is not of the next. */
let turns = 0;

const BEGINNING: Loading = { state: 'loading', bytes: 0 };

/** @param source undefined while there is nothing to load */
export function useModel(engine: EngineClient, source: ModelSource | undefined): Loading {
  const [known, setKnown] = useState<{ of?: ModelSource; loading: Loading }>({ loading: BEGINNING });
  useEffect(() => {
    if (!source) return undefined;
    let current = true;
    const set = (loading: Loading) => current && setKnown({ of: source, loading });
    // How far it is is told on another way, and may come after the end.
    let ended = false;
    const end = (loading: Loading) => {
      ended = true;
      set(loading);
    };
    set(BEGINNING);
    engine
      .load(source, (bytes, total) => !ended && set({ state: 'loading', bytes, total }))
      .then(
        (info) => end({ state: 'ready', info, turn: ++turns }),
        (error) => end({ state: 'failed', message: error.message }),
      );
    return () => {
      current = false;
    };
  }, [engine, source]);
  return known.of === source ? known.loading : BEGINNING; // what is known of another model is not of this one
}
