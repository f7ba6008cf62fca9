/** A run as it goes on: where it stands, its curves, and what it answers. */
import { useMemo } from 'preact/hooks';
import { Chart } from '../charts/chart.tsx';
import type { RunShown, Snapshot } from '../training/api.ts';
import { type History, lossCurve } from '../training/history.ts';
import { inWords } from '../training/time-left.ts';
import { Samples } from './samples.tsx';

export function RunPanel({ snapshot, run }: { snapshot: Snapshot; run: RunShown }) {
  return (
    <>
      <Standing {...{ snapshot, run }} />
      <LossChart history={run.history} />
      <ExactChart history={run.history} />
      <Samples history={run.history} />
    </>
  );
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

function Standing({ snapshot, run }: { snapshot: Snapshot; run: RunShown }) {
  const { stepsPerSecond: rate, secondsLeft, phase, evaluating, savedStep } = snapshot;
  const { step, settings, history } = run;
  const last = history.points.at(-1);
  const figures = [
    ['Step', `${step} of ${settings.steps}`],
    ['Steps a second', rate === undefined ? '–' : rate.toPrecision(2)],
    [
      'Time left',
      step >= settings.steps ? 'none' : secondsLeft === undefined ? 'not known yet' : inWords(secondsLeft),
    ],
    ['Held-out solved', last ? `${Math.round(last.exact * last.count)} of ${last.count}` : '–'],
  ];
  return (
    <>
      <progress class="run-progress" value={step} max={settings.steps} aria-label="Steps made" />
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        {evaluating && phase === 'running' ? 'An examination is under way. ' : ''}
        {savedStep !== undefined && `Saved in this browser at step ${savedStep}.`}
      </p>
    </>
  );
}

function LossChart({ history }: { history: History }) {
  const { x, y } = useMemo(() => lossCurve(history), [history]);
  const lines = useMemo(() => [{ name: 'loss', values: y, colour: '--accent' }], [y]);
  if (x.length === 0) return null;
  const words = `from ${y[0].toPrecision(3)} at first to ${y[y.length - 1].toPrecision(3)} after step ${history.reported}`;
  const mean = history.each > 1 ? `, in the mean of ${history.each} steps` : '';
  return (
    <figure>
      <figcaption>
        How wrong it is on the puzzles that it learns from{mean} <small>(loss)</small>
      </figcaption>
      <Chart label={`The loss went ${words}.`} {...{ x, lines }} xName="step" height={210} />
    </figure>
  );
}

function ExactChart({ history: { points } }: { history: History }) {
  const x = useMemo(() => points.map(({ step }) => step), [points]);
  const lines = useMemo(
    () => [
      {
        name: 'held-out',
        values: points.map(({ exact }) => 100 * exact),
        colour: '--accent',
      },
      {
        name: 'in training',
        values: points.map(({ training }) => (training === null ? null : 100 * training)),
        colour: '--second',
        dashed: true,
      },
    ],
    [points],
  );
  if (points.length < 2) return null;
  const last = points[points.length - 1];
  return (
    <figure>
      <figcaption>
        Puzzles that it solves without a mistake, in % <small>(exact accuracy)</small>; the held-out ones it
        has never seen
      </figcaption>
      <Chart
        label={`Of ${last.count} held-out puzzles ${percent(last.exact)} are solved after step ${last.step}; before the first step it was ${percent(points[0].exact)}.`}
        {...{ x, lines }}
        xName="step"
        height={210}
      />
    </figure>
  );
}
