/** What goes on inside: how far each step moves the states, how many dimensions they fill, and which way they go. */
import { useMemo } from 'preact/hooks';
import { Chart } from '../charts/chart.tsx';
import type { Segment } from '../engine/api.ts';
import { participationWords, residualLines, residualWords } from './lines.ts';
import type { Look } from './measure.ts';
import { ParticipationNumbers, ResidualNumbers } from './numbers.tsx';
import { Trajectory } from './trajectory.tsx';
import type { Looking } from './use-look.ts';

export interface LookInsideProps {
  segments: readonly Segment[];
  looking: Looking;
  /** The fast step that is looked at elsewhere, from 1. */
  at?: number;
}

export function LookInside({ segments, looking: { look, trouble }, at }: LookInsideProps) {
  if (segments.length === 0) return <p class="hint">Nothing has been thought yet.</p>;
  return (
    <div class="inside">
      <Residuals {...{ segments, at }} />
      {look && <Participation look={look} />}
      {look && (
        <section aria-label="The way of the states">
          <div class="trajectories">
            <Trajectory look={look} level="H" />
            <Trajectory look={look} level="L" />
          </div>
          <p class="hint">
            The state of all positions together after each step of its module, in the two principal components
            of this puzzle's states alone. Large dots end segments.
            {look.segments < segments.length &&
              ` Of the first ${look.segments} segments, for want of memory.`}
          </p>
        </section>
      )}
      {trouble && <p class="trouble">{trouble}</p>}
      {!look && !trouble && <p class="hint">Measuring the states…</p>}
    </div>
  );
}

function Residuals({ segments, at }: Pick<LookInsideProps, 'segments' | 'at'>) {
  const residuals = useMemo(() => residualLines(segments), [segments]);
  const lines = useMemo(
    () => [
      { name: 'z_H', values: residuals.H, colour: '--accent', joined: true },
      { name: 'z_L', values: residuals.L, colour: '--second' },
    ],
    [residuals],
  );
  const words = residualWords(residuals);
  return (
    <figure>
      <figcaption>
        How far each step moves the state of its module: ‖zⁱ − zⁱ⁻¹‖₂ of all positions; before the first step
        the state is the one that all puzzles begin with. {words}
      </figcaption>
      <Chart
        label={`Forward residuals of z_H and z_L at each fast step, on a logarithmic axis. ${words}`}
        {...{ x: residuals.x, lines }}
        xName="fast step"
        mark={at === undefined ? undefined : { x: at, text: '' }}
        logarithmic
      />
      <ResidualNumbers residuals={residuals} />
    </figure>
  );
}

function Participation({ look }: { look: Look }) {
  const { participation } = look;
  const x = useMemo(() => participation.map(({ segment }) => segment), [participation]);
  const lines = useMemo(
    () => [
      { name: 'PR(z_H)', values: participation.map(({ H }) => H), colour: '--accent' },
      { name: 'PR(z_L)', values: participation.map(({ L }) => L), colour: '--second' },
    ],
    [participation],
  );
  const words = participationWords(look);
  return (
    <figure>
      <figcaption>
        Participation ratio (Σλ)²/Σλ² of the states' covariance: how many dimensions they fill. Its rows are
        the numbers of every position after each H step so far, of both states at the same times. {words}
      </figcaption>
      <Chart label={`Participation ratios after each segment. ${words}`} {...{ x, lines }} xName="segment" />
      <ParticipationNumbers look={look} />
    </figure>
  );
}
