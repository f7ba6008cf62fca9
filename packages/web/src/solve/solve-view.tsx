/** Give a model a puzzle, and watch it think. */
import { parsePuzzle, prospectOf, puzzleText } from 'hrm-webgpu/puzzles';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { remember } from '../address/route.ts';
import type { ModelInfo, ModelSource } from '../engine/api.ts';
import type { EngineClient } from '../engine/client.ts';
import { BUNDLED } from '../models/bundled.ts';
import { clearKept } from '../models/part-store.ts';
import { PUBLISHED } from '../models/published.ts';
import { PublishedPanel } from '../models/published-panel.tsx';
import { useDownload } from '../models/use-download.ts';
import { PuzzleEditor } from '../puzzle/puzzle-editor.tsx';
import { emptyGrid, randomExample } from '../puzzle/puzzles.ts';
import { useModel } from '../thinking/use-model.ts';
import { useThinking } from '../thinking/use-thinking.ts';
import { Controls } from './controls.tsx';
import { Guesses } from './guesses.tsx';
import { ModelPicker } from './model-picker.tsx';
import { RecordedView } from './recorded-view.tsx';
import { Share } from './share.tsx';
import { type SolveState, solveParams, solveStateOf } from './state.ts';
import { ThinkingPanel } from './thinking-panel.tsx';

export interface SolveViewProps {
  engine: EngineClient;
  params: URLSearchParams;
  /** Whether there is a GPU. */
  usable: boolean;
  /** The checkpoint that was dropped on the page or trained on it, which outlives the view. */
  file: ModelSource | undefined;
  onFile: (file: ModelSource) => void;
}

export function SolveView({ usable, ...props }: SolveViewProps) {
  return usable ? <LiveView {...props} /> : <RecordedView />;
}

function LiveView({ engine, params, file, onFile }: Omit<SolveViewProps, 'usable'>) {
  const [state, setState] = useState(() => solveStateOf(params));
  // A link that is followed, or `back`.
  useEffect(() => setState(solveStateOf(params)), [params]);
  useEffect(() => remember('solve', solveParams(state)), [state]);
  const change = useCallback((part: Partial<SolveState>) => setState((now) => ({ ...now, ...part })), []);
  const bundled = BUNDLED.find(({ id }) => id === state.model);
  const published = PUBLISHED.find(({ id }) => id === state.model);
  const download = useDownload(published);
  const fetched = download.fetching.model;
  const source = useMemo<ModelSource | undefined>(() => {
    if (bundled) return { url: new URL(bundled.url, document.baseURI).href };
    if (published) return fetched && { ...fetched, name: published.id, trunkOnly: published.trunkOnly };
    return file;
  }, [bundled, published, fetched, file]);
  const loading = useModel(engine, source);
  // What is no checkpoint is not kept as one.
  const spoilt = published && loading.state === 'failed';
  useEffect(() => {
    if (spoilt) clearKept(published.id);
  }, [spoilt, published]);
  const chooseFile = (chosen: File, config?: string) => {
    onFile({ file: chosen, name: chosen.name, config });
    change({ model: 'file', puzzle: '' });
  };
  return (
    <>
      <h1>A network that thinks, on your GPU</h1>
      <p class="lead">
        A small recurrent network, the Hierarchical Reasoning Model, fills in the puzzle step by step, here in
        your browser. Change a cell, press Think, and step through what it thought.
      </p>
      <ModelPicker {...{ state, source }} loading={source && loading} onChange={change} onFile={chooseFile} />
      {published && <PublishedPanel model={published} download={download} />}
      {source && loading.state === 'ready' && (
        <Workbench key={loading.turn} {...{ engine, state, change }} info={loading.info} />
      )}
    </>
  );
}

interface WorkbenchProps {
  engine: EngineClient;
  state: SolveState;
  change: (part: Partial<SolveState>) => void;
  info: ModelInfo;
}

/** The puzzle of the address, or what is wrong with it. */
function puzzleOf(text: string, info: ModelInfo): { grid: number[][] } | { problem: string } {
  try {
    return { grid: parsePuzzle(text, { name: 'the puzzle' }).grid };
  } catch (error) {
    return { problem: `${(error as Error).message}; this model reads ${info.seqLen} cells` };
  }
}

function Workbench({ engine, state, change, info }: WorkbenchProps) {
  const { thinking, start, stop, clear } = useThinking(engine, info);
  const known = [...BUNDLED, ...PUBLISHED].find(({ id }) => id === state.model);
  const read = useMemo(
    () => (state.puzzle === '' ? undefined : puzzleOf(state.puzzle, info)),
    [state.puzzle, info],
  );
  const grid = read && 'grid' in read ? read.grid : undefined;
  const setGrid = useCallback(
    (next: number[][]) => change({ puzzle: puzzleText(info.task, next) }),
    [change, info.task],
  );
  const steps = state.steps ?? info.maxSteps;
  const think = useCallback(
    (puzzle: number[][]) => {
      const { everyStep, guesses, noise, seed, select } = state;
      const guess = guesses > 1 ? { grid: puzzle, segments: steps, guesses, noise, seed, select } : undefined;
      start({ grid: puzzle, segments: steps, everyStep }, guess);
    },
    [state, steps, start],
  );
  // Whoever opens the page sees it think at once.
  useEffect(() => {
    let current = true;
    const begin = (puzzle: number[][] | undefined) => {
      if (!current) return;
      if (!grid) setGrid(puzzle ?? emptyGrid(info));
      if (puzzle) think(puzzle);
    };
    if (grid) begin(grid);
    else randomExample(info, known).then(begin);
    return () => {
      current = false;
      clear();
    };
  }, []);
  const problem = useMemo(() => (grid ? problemWith(info, grid) : undefined), [info, grid]);
  const replace = (next: number[][]) => {
    clear();
    setGrid(next);
  };
  return (
    <div class="workbench">
      <section class="ask" aria-label="The puzzle">
        {grid && <PuzzleEditor {...{ info, grid, known }} onGrid={replace} />}
        {read && 'problem' in read && <p class="trouble">{read.problem}</p>}
        {problem && <p class={problem.fatal ? 'trouble' : 'hint'}>{problem.text}</p>}
        {grid && (
          <Controls
            {...{ state, change, info, steps }}
            running={thinking.running}
            onThink={() => think(grid)}
            onStop={stop}
          />
        )}
      </section>
      <section class="answer" aria-label="What the model thinks">
        <ThinkingPanel {...{ info, thinking, steps }} />
        <Guesses {...{ info, thinking }} select={state.select} />
        {grid && <Share {...{ info, thinking, grid }} />}
      </section>
    </div>
  );
}

/** What is known of a puzzle without solving it for anybody. */
function problemWith({ task }: ModelInfo, grid: number[][]): { text: string; fatal: boolean } | undefined {
  try {
    const offset = task === 'sudoku' || task === 'latin' ? 1 : 0;
    const text =
      task === 'none'
        ? undefined
        : prospectOf(
            task,
            grid.flat().map((value) => value + offset),
          );
    return text ? { text, fatal: false } : undefined;
  } catch (error) {
    return { text: (error as Error).message, fatal: true };
  }
}
