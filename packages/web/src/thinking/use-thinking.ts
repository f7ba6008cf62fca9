/** A puzzle being thought about: what has become known so far, and where the reader stands in it. */
import { useCallback, useState } from 'preact/hooks';
import type {
  Frame,
  GuessOutcome,
  GuessRequest,
  GuessShown,
  ModelInfo,
  Segment,
  ThinkRequest,
} from '../engine/api.ts';
import type { EngineClient } from '../engine/client.ts';
import { Thought } from '../inside/thought.ts';
import type { LookSource } from '../inside/use-look.ts';

export interface Thinking {
  /** The puzzle that it is about. */
  asked?: number[][];
  running: boolean;
  segments: readonly Segment[];
  guesses: readonly GuessShown[];
  outcome?: GuessOutcome;
  /** Where what goes on inside is learned. */
  inside?: LookSource;
  /** What went wrong, for the person at the page. */
  trouble?: string;
}

const NOTHING: Thinking = { running: false, segments: [], guesses: [] };

/** @param info the model's */
export function useThinking(engine: EngineClient, info: ModelInfo) {
  const [thinking, setThinking] = useState<Thinking>(NOTHING);
  const start = useCallback(
    async (think: ThinkRequest, guess: GuessRequest | undefined) => {
      const inside = new Thought(info.hiddenSize);
      // What an earlier run still says is not of this one.
      const update = (change: (now: Thinking) => Partial<Thinking>) =>
        setThinking((now) => (now.inside === inside ? { ...now, ...change(now) } : now));
      setThinking({ ...NOTHING, asked: think.grid, running: true, inside });
      try {
        await engine.think(think, (told) => {
          const { states, ...segment } = told;
          inside.add(told);
          update(({ segments }) => ({ segments: [...segments, segment] }));
        });
        if (guess) {
          // What is told late is part of the outcome.
          const tell = (one: GuessShown) =>
            update(({ guesses, outcome }) => (outcome ? {} : { guesses: [...guesses, one] }));
          const outcome = await engine.guess(guess, tell);
          update(() => ({ outcome, guesses: outcome.guesses }));
        }
      } catch (error) {
        const { name, message } = error as Error;
        if (name !== 'AbortError') update(() => ({ trouble: message }));
      }
      update(() => ({ running: false }));
    },
    [engine, info],
  );
  const stop = useCallback(() => engine.stop(), [engine]);
  const clear = useCallback(() => {
    engine.stop();
    setThinking(NOTHING);
  }, [engine]);
  return { thinking, start, stop, clear };
}

/** All answers on the way, in order. */
export function framesOf({ segments }: Thinking): Frame[] {
  return segments.flatMap(({ frames }) => frames);
}

/** The first segment after which the model would halt; undefined where it would not. */
export function haltingOf({ segments }: Thinking): Segment | undefined {
  return segments.find(({ qHalt, qContinue }) => qHalt > qContinue);
}

/** The cells, by number, in which two grids differ. */
export function differing(a: number[][] | undefined, b: number[][]): Set<number> {
  const cells = new Set<number>();
  if (!a) return cells;
  b.forEach((row, r) => {
    row.forEach((value, c) => {
      if (a[r]?.[c] !== value) cells.add(r * row.length + c);
    });
  });
  return cells;
}
