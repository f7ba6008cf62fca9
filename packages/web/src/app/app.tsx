/** The page around its views. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatRoute, useRoute, VIEWS, type View } from '../address/route.ts';
import type { Gpu, ModelSource } from '../engine/api.ts';
import { EngineClient } from '../engine/client.ts';
import { SolveView } from '../solve/solve-view.tsx';
import { TrainMark } from '../train/train-mark.tsx';
import { TrainerClient } from '../training/client.ts';
import { GpuLine } from './gpu-line.tsx';
import { Later } from './later.tsx';
import { NoGpu } from './no-gpu.tsx';

const NAMES: Record<View, string> = {
  solve: 'Solve',
  train: 'Train',
  inspect: 'Inspect',
  bench: 'Benchmark',
};

const trainView = async () => (await import('../train/train-view.tsx')).TrainView;
const inspectView = async () => (await import('../inspect/inspect-view.tsx')).InspectView;
const benchView = async () => (await import('../bench/bench-view.tsx')).BenchView;

export function App() {
  const { view, params } = useRoute();
  const [gpu, setGpu] = useState<Gpu>();
  const [losses, setLosses] = useState(0);
  const engine = useMemo(() => new EngineClient(() => setLosses((count) => count + 1)), []);
  const trainer = useMemo(() => new TrainerClient(), []);
  /** A checkpoint of the person's own, whichever view it came from. */
  const [file, setFile] = useState<ModelSource>();
  const useInSolve = (checkpoint: Blob, name: string, puzzle: string) => {
    setFile({ file: checkpoint, name });
    location.hash = formatRoute('solve', { model: 'file', puzzle });
  };
  useEffect(() => {
    engine.gpu().then(setGpu, (error) => setGpu({ missing: error.message }));
  }, [engine]);
  const usable = !gpu || !('missing' in gpu);
  return (
    <>
      <header class="top">
        <a class="name" href="#/solve">
          hrm-webgpu
        </a>
        <nav aria-label="Views">
          {VIEWS.map((name) => (
            <a key={name} href={`#/${name}`} aria-current={name === view ? 'page' : undefined}>
              {NAMES[name]}
              {name === 'train' && view !== 'train' && <TrainMark trainer={trainer} />}
            </a>
          ))}
        </nav>
      </header>
      <main>
        {gpu && 'missing' in gpu && <NoGpu reason={gpu.missing} />}
        {view === 'solve' && <SolveView {...{ engine, params, file, usable }} onFile={setFile} />}
        {view === 'train' && <Later load={trainView} props={{ trainer, gpu, params, onUse: useInSolve }} />}
        {view === 'inspect' && <Later load={inspectView} props={{ engine, usable }} />}
        {view === 'bench' && <Later load={benchView} props={{ params, usable }} />}
      </main>
      <footer>
        <GpuLine gpu={gpu} losses={losses} />
        <p>
          The Hierarchical Reasoning Model on hand-written WebGPU kernels, without a machine learning
          framework. Nothing leaves this page.
        </p>
      </footer>
    </>
  );
}
