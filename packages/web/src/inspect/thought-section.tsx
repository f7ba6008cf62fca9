/** A model thinks, and is looked into. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ModelSource } from '../engine/api.ts';
import type { EngineClient } from '../engine/client.ts';
import { BUNDLED } from '../models/bundled.ts';
import { describe } from '../thinking/loading-line.tsx';
import { useModel } from '../thinking/use-model.ts';
import { type AskedPuzzle, cellsOf } from './asked.ts';
import { RecordedThought } from './recorded-thought.tsx';
import { ThoughtBench } from './thought-bench.tsx';

/** A checkpoint of the visitor's. */
export interface DroppedModel {
  file: File;
  name: string;
  config?: File;
  /** Tokens that it reads, where it says so. */
  seqLen?: number;
}

export interface ThoughtSectionProps {
  engine: EngineClient;
  usable: boolean;
  dropped: DroppedModel | undefined;
  puzzle: AskedPuzzle | undefined;
}

export function ThoughtSection({ usable, ...props }: ThoughtSectionProps) {
  return (
    <section class="thought" aria-labelledby="thought">
      <h2 id="thought">A thought from inside</h2>
      {usable ? <LiveThought {...props} /> : <RecordedThought />}
    </section>
  );
}

/** The bundled model that reads such puzzles. */
const modelFor = ({ grid, task }: AskedPuzzle) =>
  BUNDLED.find((model) => model.task === task && model.seqLen === cellsOf(grid));

/** Who thinks about a puzzle: the visitor's own model where it may read it, else one of the page's that does. */
function choice(now: string, puzzle: AskedPuzzle, dropped: DroppedModel | undefined): string {
  const own = dropped && (dropped.seqLen ?? cellsOf(puzzle.grid)) === cellsOf(puzzle.grid);
  if (own && now === 'file') return now;
  return modelFor(puzzle)?.id ?? (dropped ? 'file' : now);
}

function LiveThought({ engine, dropped, puzzle }: Omit<ThoughtSectionProps, 'usable'>) {
  const [model, setModel] = useState(BUNDLED[0].id);
  /** Nothing is loaded before somebody wants it. */
  const [wanted, setWanted] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => setModel(dropped ? 'file' : BUNDLED[0].id), [dropped]);
  useEffect(() => {
    if (!puzzle) return;
    setModel((now) => choice(now, puzzle, dropped));
    setWanted(true);
    place.current?.scrollIntoView();
  }, [puzzle]);
  const source = useSource(model, dropped);
  const loading = useModel(engine, wanted ? source : undefined);
  const known = BUNDLED.find(({ id }) => id === model);
  return (
    <div ref={place}>
      <div class="choices" role="radiogroup" aria-label="Model">
        {[...BUNDLED, ...(dropped ? [{ id: 'file', title: dropped.name }] : [])].map(({ id, title }) => (
          <label key={id} class="choice">
            <input type="radio" name="thinker" checked={model === id} onChange={() => setModel(id)} />
            <span>{title}</span>
          </label>
        ))}
      </div>
      {wanted ? (
        <p class="about" role="status">
          {source ? describe(loading, known?.about) : ''}
        </p>
      ) : (
        <div class="buttons">
          <button type="button" class="primary" onClick={() => setWanted(true)}>
            Watch it think
          </button>
        </div>
      )}
      {wanted && loading.state === 'ready' && (
        <ThoughtBench key={loading.turn} {...{ engine, puzzle }} info={loading.info} />
      )}
    </div>
  );
}

/** Where the chosen model's weights come from; undefined until the configuration beside them has been read. */
function useSource(model: string, dropped: DroppedModel | undefined): ModelSource | undefined {
  const [config, setConfig] = useState<{ of?: DroppedModel; text?: string }>({});
  useEffect(() => {
    let current = true;
    const read = async () => {
      const text = await dropped?.config?.text();
      if (current) setConfig({ of: dropped, text });
    };
    read();
    return () => {
      current = false;
    };
  }, [dropped]);
  return useMemo(() => {
    const bundled = BUNDLED.find(({ id }) => id === model);
    if (bundled) return { url: new URL(bundled.url, document.baseURI).href };
    if (!dropped || config.of !== dropped) return undefined;
    return { file: dropped.file, name: dropped.name, config: config.text };
  }, [model, dropped, config]);
}
