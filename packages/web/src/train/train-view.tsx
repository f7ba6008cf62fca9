/** Watch a model learn, from nothing. */
import { puzzleText } from 'hrm-webgpu/puzzles';
import { useEffect, useState } from 'preact/hooks';
import { formatRoute, remember } from '../address/route.ts';
import type { Gpu } from '../engine/api.ts';
import { saveBlob } from '../files/save.ts';
import type { Phase, RunShown, Snapshot } from '../training/api.ts';
import type { TrainerClient } from '../training/client.ts';
import { defaultSettings, type Typed, typedFrom, typedOf, typedParams } from '../training/settings.ts';
import { RunControls } from './run-controls.tsx';
import { RunPanel } from './run-panel.tsx';
import { SettingsForm } from './settings-form.tsx';
import { statusOf } from './status.ts';
import { useTraining } from './use-training.ts';

export interface TrainViewProps {
  trainer: TrainerClient;
  gpu: Gpu | undefined;
  params: URLSearchParams;
  /** Has a checkpoint solve a puzzle. */
  onUse: (checkpoint: Blob, name: string, puzzle: string) => void;
}

const BUSY: readonly Phase[] = ['preparing', 'running', 'pausing'];

export function TrainView({ trainer, gpu, params, onUse }: TrainViewProps) {
  const present = gpu !== undefined && !('missing' in gpu);
  const { snapshot, share, goesOnHidden } = useTraining(trainer, present);
  const [typed, setTyped] = useSettings(snapshot, gpu, params);
  const { phase, run } = snapshot;
  const busy = BUSY.includes(phase);
  const usable = present && phase !== 'elsewhere' && phase !== 'looking';
  const [problem, setProblem] = useState<string>();
  const withCheckpoint = async (hand: (checkpoint: Blob, step: number) => void) => {
    try {
      const { checkpoint, step } = await trainer.checkpoint();
      setProblem(undefined);
      hand(checkpoint, step);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const trouble = snapshot.trouble ?? problem;
  return (
    <>
      <h1>Watch a model learn</h1>
      <p class="lead">
        Some 0.26 million numbers, random at first, are corrected step by step until they solve 4×4 Sudokus
        that they have never seen: the Hierarchical Reasoning Model, trained here, in this tab.
      </p>
      <div class={`training ${run ? 'begun' : ''}`}>
        <section class="controls" aria-label="What is going on">
          <p class="status" role="status">
            {gpu && !present ? 'Training needs a GPU.' : statusOf(snapshot)}
          </p>
          {trouble && (
            <p class="trouble" role="alert">
              {trouble}
            </p>
          )}
          {run && (
            <RunControls
              {...{ snapshot, share, goesOnHidden, trainer, usable }}
              onDownload={() => withCheckpoint((file, step) => saveBlob(file, nameOf(step)))}
              onUse={() => withCheckpoint((file, step) => onUse(file, nameOf(step), hardestOf(run)))}
            />
          )}
        </section>
        <section class="settings" aria-label="Settings">
          <SettingsForm
            {...{ typed, usable }}
            change={setTyped}
            locked={busy}
            action={run ? 'Start a new run' : 'Start training'}
            secondary={run !== undefined && phase !== 'finished'}
            onStart={(settings) => trainer.start(settings)}
          />
          {run && !busy && <p class="hint">A new run takes the place of the one that is saved here.</p>}
        </section>
        <section class="run" aria-label="How it learns">
          {run ? <RunPanel {...{ snapshot, run }} /> : <Before gpu={gpu} />}
        </section>
      </div>
    </>
  );
}

const nameOf = (step: number) => `sudoku-4x4-step-${step}.safetensors`;

/** A puzzle to begin with, as text: one that is held out, with the most blanks. */
function hardestOf({ history }: RunShown): string {
  const sample = history.samples.at(-1);
  return sample ? puzzleText('sudoku', sample.puzzle) : '';
}

/** What stands in the form: what was typed, else what the address says, else the run that is here, else the recipe. */
function useSettings(
  { phase, run }: Snapshot,
  gpu: Gpu | undefined,
  params: URLSearchParams,
): [Typed, (typed: Typed) => void] {
  const [typed, setTyped] = useState<Typed>();
  const defaults = defaultSettings(gpu !== undefined && 'software' in gpu && gpu.software);
  const asked = params.size > 0 ? typedFrom(params, defaults) : undefined;
  const ofRun = run && typedOf(run.settings);
  const shown = (BUSY.includes(phase) && ofRun) || typed || asked || ofRun || typedOf(defaults);
  const address = typedParams(shown, defaults);
  // Not each time that the run moves on: somebody may be leaving for another address.
  useEffect(() => remember('train', address), [formatRoute('train', address)]);
  return [shown, setTyped];
}

/** In the place of a run, before there is one. */
function Before({ gpu }: { gpu: Gpu | undefined }) {
  const software = gpu && 'software' in gpu && gpu.software;
  return (
    <div class="before">
      <h2>What will happen</h2>
      <ol>
        <li>
          The puzzles are made here, and some are held out: the model is examined on them and never learns
          from them.
        </li>
        <li>
          Each step looks at a few puzzles with their solutions and corrects all numbers a little. The digits
          are renamed at random each time.
        </li>
        <li>
          Now and then it is examined: you see how many of the held-out puzzles it solves, and what it answers
          to four of them.
        </li>
        <li>
          The run is saved in this browser, so that it can be gone on with after a reload, to the same
          numbers.
        </li>
      </ol>
      <h2>How long it takes</h2>
      <p>
        That is measured in the first steps, and then told. For comparison: <code>npm run demo</code> makes
        1500 such steps in about two minutes, in Node on a processor with two cores, and solves 97 % then.
        {software &&
          ' The software adapter of a browser takes many times as long for each, so the recipe for it has 600: where that was tried, 76 % were solved in the end.'}
      </p>
    </div>
  );
}
