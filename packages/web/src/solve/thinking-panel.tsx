/** The thought as it happens: the answer at every step, how sure, and whether the model would halt. */
import { brokenCells } from 'hrm-webgpu/puzzles';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Board } from '../boards/board.tsx';
import { Chart } from '../charts/chart.tsx';
import type { Frame, ModelInfo } from '../engine/api.ts';
import { LookInside } from '../inside/look-inside.tsx';
import { useLook } from '../inside/use-look.ts';
import { differing, framesOf, haltingOf, type Thinking } from '../thinking/use-thinking.ts';

export interface ThinkingPanelProps {
  info: ModelInfo;
  thinking: Thinking;
  /** Segments that were asked for. */
  steps: number;
}

/** Of playing back, a frame. */
const FRAME_MS = 350;

export function ThinkingPanel({ info, thinking, steps }: ThinkingPanelProps) {
  const { task } = info;
  const { asked, segments, running, trouble } = thinking;
  const frames = useMemo(() => framesOf(thinking), [thinking]);
  const halting = haltingOf(thinking);
  /** Which frame is looked at; undefined for the newest. */
  const [at, setAt] = useState<number>();
  const [playing, setPlaying] = useState(false);
  const [inside, setInside] = useState(false);
  // Another puzzle begins at its newest frame.
  useEffect(() => {
    setAt(undefined);
    setPlaying(false);
  }, [asked]);
  const last = frames.length - 1;
  const shown = Math.min(at ?? last, last);
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setTimeout(() => {
      if (shown >= last) setPlaying(false);
      else setAt(shown + 1);
    }, FRAME_MS);
    return () => clearTimeout(timer);
  }, [playing, shown, last]);
  const frame = frames[shown];
  if (!asked || !frame) {
    return (
      <div class="thinking">
        <p class="status" role="status">
          {trouble ? <span class="trouble">{trouble}</span> : running ? 'Thinking…' : 'Press Think.'}
        </p>
      </div>
    );
  }
  const segment = segments[frame.segment - 1];
  const before = shown > 0 ? frames[shown - 1].grid : asked;
  const scrub = (index: number) => {
    setPlaying(false);
    setAt(index >= last ? undefined : index);
  };
  return (
    <div class="thinking">
      <Board
        {...{ task, grid: frame.grid, givens: asked }}
        label="The answer so far"
        changed={differing(before, frame.grid)}
        broken={new Set(brokenCells(task, frame.grid, asked))}
        confidence={frame.last && task !== 'arc' ? segment.confidence : undefined}
      />
      <p class="status" role="status">
        {running ? `Thinking: ${segments.length} of ${steps} segments. ` : ''}
        {!running && verdictOf(thinking)}
        {trouble && <span class="trouble">{trouble}</span>}
      </p>
      <div class="scrub">
        <button
          type="button"
          onClick={() => {
            if (shown >= last) setAt(0);
            setPlaying(!playing);
          }}
          aria-label={playing ? 'Pause' : 'Play the thought'}
        >
          {playing ? '❚❚' : '▶'}
        </button>
        <input
          type="range"
          min="0"
          max={last}
          value={shown}
          aria-label="Step of the thought"
          aria-valuetext={`segment ${frame.segment}, fast step ${frame.step}`}
          onInput={({ currentTarget }) => scrub(Number(currentTarget.value))}
        />
        <output>
          segment {frame.segment}, step {frame.step}
        </output>
      </div>
      <QCurve
        {...{ thinking, halting: halting?.segment, onPick: (index) => scrub(lastFrameOf(frames, index + 1)) }}
      />
      <p class="hint">{timeOf(thinking)}Green: just changed. Red: breaks a rule. Faint: not sure.</p>
      <Inside {...{ thinking }} open={inside} onOpen={setInside} at={fastStepOf(info, frame)} />
    </div>
  );
}

interface InsideProps {
  thinking: Thinking;
  open: boolean;
  onOpen: (open: boolean) => void;
  /** The fast step that is looked at. */
  at: number;
}

/** Folded at first: what nobody looks at is not measured. */
function Inside({ thinking: { inside, segments }, open, onOpen, at }: InsideProps) {
  const looking = useLook(inside, segments.length, open);
  return (
    <details open={open} onToggle={({ currentTarget }) => onOpen(currentTarget.open)}>
      <summary>Look inside</summary>
      {open && <LookInside {...{ segments, looking, at }} />}
    </details>
  );
}

/** Fast steps since the beginning. */
const fastStepOf = ({ cycles }: ModelInfo, { segment, step }: Frame) =>
  (segment - 1) * cycles.H * cycles.L + step;

function timeOf({ segments }: Thinking): string {
  const times = segments.flatMap(({ ms }) => ms ?? []);
  return times.length === 0 ? '' : `Each segment took ${mean(times).toFixed(0)} ms. `;
}

function verdictOf({ segments, outcome }: Thinking): string {
  const { proven, qHalt, qContinue } = segments[segments.length - 1];
  const winner = outcome?.guesses.find(({ guess }) => guess === outcome.winner);
  if (proven === false && winner?.proven)
    return `Not solved as given; guess ${winner.guess} below is, proven by the rules.`;
  const halts = qHalt > qContinue;
  if (proven === true) return `Solved, and proven by the rules${halts ? '; the model knows it too' : ''}.`;
  if (proven === false)
    return `Not solved${halts ? ', though the model thinks it is' : ', and the model knows it'}. More guesses often help.`;
  return halts ? 'The model is done; no rule here says whether it is right.' : 'The model would think on.';
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);

/** The index of the frame that a segment ends with. */
const lastFrameOf = (frames: readonly { segment: number; last: boolean }[], segment: number) =>
  frames.findIndex((frame) => frame.segment === segment && frame.last);

interface QCurveProps {
  thinking: Thinking;
  halting: number | undefined;
  onPick: (index: number) => void;
}

function QCurve({ thinking: { segments }, halting, onPick }: QCurveProps) {
  const x = useMemo(() => segments.map(({ segment }) => segment), [segments]);
  const lines = useMemo(
    () => [
      { name: 'q halt', values: segments.map(({ qHalt }) => qHalt), colour: '--accent' },
      {
        name: 'q continue',
        values: segments.map(({ qContinue }) => qContinue),
        colour: '--second',
        dashed: true,
      },
    ],
    [segments],
  );
  const words = halting
    ? `It would halt after segment ${halting}.`
    : `After ${segments.length} segments it would not halt yet.`;
  return (
    <figure>
      <figcaption>What it expects of halting and of thinking on. {words}</figcaption>
      <Chart
        label={`q halt and q continue after each segment. ${words}`}
        {...{ x, lines, onPick }}
        xName="segment"
        mark={halting ? { x: halting, text: 'halts' } : undefined}
      />
    </figure>
  );
}
