import type { Work } from '../profiler.ts';
import type { ParamValues } from '../program.ts';

/** How a dispatch can be done in parts, with the same bits: by rows, by heads. */
export interface Division {
  /** What there is to divide: so many rows, or heads. */
  items: number;
  /** Parts are made of whole multiples of so many, but for the last one. */
  step: number;
  /** What changes in the dispatch for items `first` to `first + count`. */
  part(first: number, count: number): DispatchPart;
}

export interface DispatchPart {
  params: ParamValues;
  workgroups: readonly [number, number, number];
  work: Work;
}

/** The most parts there are. */
export function mostParts({ items, step }: Pick<Division, 'items' | 'step'>): number {
  return Math.ceil(items / step);
}

/** The parts of a dispatch: as many as that if there are so many steps, else one for each step. */
export function divide<D extends DispatchPart>(
  dispatch: D,
  { items, step, part }: Division,
  parts: number,
): D[] {
  const count = step * Math.ceil(items / step / parts);
  return Array.from({ length: Math.ceil(items / count) }, (_, i) => ({
    ...dispatch,
    ...part(i * count, Math.min(count, items - i * count)),
  }));
}
