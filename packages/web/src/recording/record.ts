/** Makes a recording: in Node, where there is an adapter (scripts/record-thought.mjs). */
import { parsePuzzle } from 'hrm-webgpu/puzzles';
import type { Segment } from '../engine/api.ts';
import { Engine } from '../engine/engine.ts';
import { type Look, Measure } from '../inside/measure.ts';
import type { Recording } from './recording.ts';

const MODEL = 'sudoku-6x6';
/** That the model was not trained on; it halts after four segments. */
const PUZZLE = '4...212315...4..636....5..4.5..6....';
/** Two more than it was trained to think. */
const SEGMENTS = 6;
const GUESSES = { guesses: 6, noise: 0, seed: 0, select: 'vote' } as const;

/** @param readModel gives the bytes of one of the models that come with the page */
export async function recordThought(
  readModel: (file: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Recording> {
  const engine = new Engine();
  const gpu = await engine.gpu();
  if ('missing' in gpu) throw new Error(gpu.missing);
  try {
    const file = new Blob([await readModel(`${MODEL}.safetensors`)]);
    const info = await engine.load({ file, name: MODEL }, () => {});
    const { grid } = parsePuzzle(PUZZLE);
    const measure = new Measure(info.hiddenSize);
    const segments: Segment[] = [];
    await engine.think({ grid, segments: SEGMENTS, everyStep: true }, ({ states, ms, ...segment }) => {
      measure.add(segment.steps.map(({ level }, i) => ({ level, state: states[i] })));
      segments.push({ ...segment, confidence: Array.from(segment.confidence) });
    });
    const outcome = await engine.guess({ grid, segments: SEGMENTS, ...GUESSES }, () => {});
    const look = measure.look() as Look;
    return { adapter: gpu.name, model: MODEL, info, grid, segments, outcome, look };
  } finally {
    await engine.close();
  }
}
