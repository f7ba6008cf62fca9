/** What is being solved and how: all of it stands in the address of the page. */
import type { Rule } from 'hrm-webgpu';
import { BUNDLED } from '../models/bundled.ts';

export interface SolveState {
  /** A bundled model's id, or `file` for one that was dropped on the page. */
  model: string;
  /** The puzzle as text. */
  puzzle: string;
  /** Segments to think; what the model was trained with where it is not set. */
  steps?: number;
  guesses: number;
  noise: number;
  seed: number;
  select: Rule | 'auto';
  /** Whether answers are decoded after every step of the fast module. */
  everyStep: boolean;
}

export const RULES: readonly (Rule | 'auto')[] = ['auto', 'rules', 'halt-first', 'best-q', 'steady', 'vote'];
export const MOST_GUESSES = 32;
export const MOST_NOISE = 2;

/** The state that an address asks for; what it asks for wrongly is left at its default. */
export function solveStateOf(params: URLSearchParams): SolveState {
  const number = (name: string, least: number, most: number, otherwise: number, whole = true) => {
    const text = params.get(name);
    const value = text === null || text === '' ? Number.NaN : Number(text);
    const fits = value >= least && value <= most && (!whole || Number.isInteger(value));
    return fits ? value : otherwise;
  };
  const model = params.get('model') ?? BUNDLED[0].id;
  return {
    model,
    puzzle: params.get('puzzle') ?? '',
    steps: number('steps', 1, 512, 0) || undefined,
    guesses: number('guesses', 1, MOST_GUESSES, 1),
    noise: number('noise', 0, MOST_NOISE, 0, false),
    seed: number('seed', 0, 2 ** 31, 0),
    select: RULES.find((rule) => rule === params.get('select')) ?? 'auto',
    everyStep: params.get('fast') !== '0',
  };
}

/** The state as parameters of an address: only what differs from the defaults. */
export function solveParams(state: SolveState): Record<string, string | number | undefined> {
  const { model, puzzle, steps, guesses, noise, seed, select, everyStep } = state;
  return {
    model,
    puzzle,
    steps,
    guesses: guesses === 1 ? undefined : guesses,
    noise: noise || undefined,
    seed: seed || undefined,
    select: select === 'auto' ? undefined : select,
    fast: everyStep ? undefined : 0,
  };
}
