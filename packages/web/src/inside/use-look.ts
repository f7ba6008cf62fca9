/** What is seen inside, as the thought goes on. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Look } from './measure.ts';

export interface Looking {
  look?: Look;
  /** What went wrong. */
  trouble?: string;
}

/** Where looks come from: a thought that is measured, or a recording of one. */
export interface LookSource {
  look(): Promise<Look | undefined>;
}

/**
 * @param open whether anybody looks: nothing is measured where nobody does
 * @param segments how many have been thought: another number is a reason to look again
 */
export function useLook(source: LookSource | undefined, segments: number, open: boolean): Looking {
  const [found, setFound] = useState<Looking & { of?: LookSource }>({});
  const busy = useRef<LookSource | undefined>(undefined);
  const wanted = useRef(0);
  wanted.current = segments;
  useEffect(() => {
    if (!source || !open || segments === 0 || busy.current === source) return;
    busy.current = source;
    // One look at a time: what has been thought meanwhile is part of the next.
    const go = async () => {
      for (let seen = 0; seen !== wanted.current && busy.current === source; ) {
        seen = wanted.current;
        const look = await source.look();
        if (busy.current === source && look) setFound({ of: source, look });
      }
    };
    go()
      .catch((error) => setFound({ of: source, trouble: error.message }))
      .finally(() => {
        if (busy.current === source) busy.current = undefined;
      });
  }, [source, segments, open]);
  return found.of === source ? found : {};
}
