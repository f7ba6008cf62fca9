/** What is said aloud of a run: that something has changed, not every step. */
import type { Snapshot } from '../training/api.ts';

export function statusOf({ phase, run }: Snapshot): string {
  const last = run?.history.points.at(-1);
  const solved = last
    ? ` After step ${last.step} it solves ${Math.round(last.exact * last.count)} of ${last.count} held-out puzzles.`
    : '';
  switch (phase) {
    case 'looking':
      return 'Looking for a run that was saved here…';
    case 'elsewhere':
      return 'The run belongs to another tab of this browser. When that tab is closed, or its run ends, it can be gone on with here.';
    case 'preparing':
      return 'Making puzzles and compiling kernels…';
    case 'running':
      return `Training.${solved}`;
    case 'pausing':
      return 'Pausing…';
    case 'paused':
      return `Paused at step ${run?.step}.${solved}`;
    case 'finished':
      return `Done.${solved}`;
    case 'idle':
      if (!run) return 'Nothing has been trained here yet.';
      return run.step < run.settings.steps
        ? `A run is saved here, at step ${run.step} of ${run.settings.steps}.${solved}`
        : `A finished run is saved here.${solved}`;
  }
}
