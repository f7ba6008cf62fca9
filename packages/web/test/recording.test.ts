/** The thought that is shown where there is no GPU is the one that the model has today. */
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { recordThought } from '../src/recording/record.ts';
import { loadRecording, type Recording } from '../src/recording/recording.ts';

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const FILE = 'src/recording/sudoku-6x6.json';

/**
 * Adapters add in different orders. Measured: residuals and participation ratios of this thought on SwiftShader and on llvmpipe differ by less than
 * 5e-5 of their size (residuals are 0.3 to 97); twenty times that for adapters that nobody has tried, and an absolute part, since coordinates
 * of a trajectory of size 70 may be near zero.
 */
const STATES = { share: 1e-3, absolute: 5e-3 };
/** The bar for logits. */
const Q = 1e-3;

const near = (value: number, expected: number, { share, absolute } = STATES) =>
  expect(Math.abs(value - expected)).toBeLessThanOrEqual(absolute + share * Math.abs(expected));

/** All numbers of a recording's inside, in their order. */
const insideOf = ({ segments, look }: Recording) => ({
  residuals: segments.flatMap(({ steps }) => steps.map(({ residual }) => residual)),
  participation: look.participation.flatMap(({ H, L }) => [H, L]),
  trajectory: (['H', 'L'] as const).flatMap((level) => look.trajectory[level].coordinates.flat()),
});

it('is small, and what the model gives', async () => {
  expect((await stat(path(FILE))).size).toBeLessThanOrEqual(30_000);
  const recorded = await loadRecording();
  const now = await recordThought(
    (file) => readFile(path(`models/${file}`)) as Promise<Uint8Array<ArrayBuffer>>,
  );
  expect(recorded.grid).toEqual(now.grid);
  expect(recorded.info).toEqual(now.info);
  expect(recorded.segments.map(({ frames, proven }) => ({ frames, proven }))).toEqual(
    now.segments.map(({ frames, proven }) => ({ frames, proven })),
  );
  recorded.segments.forEach((segment, i) => {
    near(segment.qHalt, now.segments[i].qHalt, { share: 0, absolute: Q });
    near(segment.qContinue, now.segments[i].qContinue, { share: 0, absolute: Q });
    Array.from(segment.confidence).forEach((sure, cell) => {
      near(sure, now.segments[i].confidence[cell], { share: 0, absolute: 1e-3 });
    });
  });
  const { guesses, ...outcome } = recorded.outcome;
  expect(outcome).toEqual({ winner: now.outcome.winner, rule: now.outcome.rule });
  guesses.forEach(({ qHalt, qContinue, ...guess }, i) => {
    const { qHalt: halt, qContinue: on, ...rest } = now.outcome.guesses[i];
    expect(guess).toEqual(rest);
    near(qHalt, halt, { share: 0, absolute: Q });
    near(qContinue, on, { share: 0, absolute: Q });
  });
  const [inside, insideNow] = [insideOf(recorded), insideOf(now)];
  for (const name of ['residuals', 'participation', 'trajectory'] as const) {
    expect(inside[name]).toHaveLength(insideNow[name].length);
    inside[name].forEach((value, i) => {
      near(value, insideNow[name][i]);
    });
  }
});
