/**
 * Parity with the published ARC data preparation and scoring, all of it exact: files of encoded and augmented
 * grids, of cropped canvases, and of votes (formats: test/fixtures/README.md).
 */

import { UserError } from '@hrm-webgpu/core';
import { ARC_TOKENS, cropGrid, drawGrid, type Grid, gridRows, parseGrid } from '../data/arc/arc.ts';
import { augmentedName, augmentGrid, inverse, parseName } from '../data/arc/arc-augment.ts';
import { ArcVote } from '../data/arc/arc-vote.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import { Comparison, type ParityRow } from './comparison.ts';
import { type OpenFile, readJson } from './fixture.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of a fixture; its fields are checked where they are used
type Json = any;

/**
 * Compares with an ARC file.
 *
 * @param open gives the files of its folder
 * @param name the file's own name, `….json`; votes have their arrays in `….safetensors` beside it
 * @throws UserError if it is none of the three kinds
 */
export async function runArcParity(open: OpenFile, name: string): Promise<ParityRow[]> {
  const json = await readJson(open, name);
  const comparison = new Comparison();
  const list = Array.isArray(json) && json.length > 0 ? json : undefined;
  if (list?.every(hasKeys('task', 'encoded', 'augmentation'))) {
    for (const entry of list) compareEncoding(entry, name, comparison);
  } else if (list?.every(hasKeys('sequence', 'crop'))) {
    for (const [index, entry] of list.entries()) compareCrop(entry, `${name}[${index}]`, comparison);
  } else if (hasKeys('identifiers', 'K', 'solved', 'per_task')(json)) {
    const arrays = name.replace(/(\.json)?$/, '.safetensors');
    const source = await open(arrays);
    if (!source) throw new UserError(`${arrays}: no such file; the votes of ${name} need it beside it`);
    const tensors = await openSafetensors(source);
    try {
      await compareVote(json, tensors, name, comparison);
    } finally {
      await tensors.close();
    }
  } else {
    throw new UserError(
      `${name}: is no ARC parity file: neither a list of encodings nor of crops, nor votes. The formats are in ` +
        'test/fixtures/README.md',
    );
  }
  return comparison.rows;
}

function hasKeys(...keys: string[]): (value: unknown) => boolean {
  return (value) =>
    typeof value === 'object' && value !== null && keys.every((key) => Object.hasOwn(value, key));
}

/** A canvas must come back from the grid on it; the augmentation that a name tells, and its undoing, must give the grids. */
function compareEncoding({ task, encoded, augmentation }: Json, file: string, comparison: Comparison): void {
  const place = `${file}: ${task}`;
  if (!Array.isArray(encoded)) throw new UserError(`${place}: 'encoded' must be a list of pairs`);
  encoded.forEach((pair, index) => {
    for (const half of ['input', 'output']) {
      const name = `${task}[${index}].${half}`;
      const reference = canvasOf(pair?.[half], `${place}: encoded[${index}].${half}`);
      comparison.elements('arc, canvas', name, draw(cropGrid(reference)), reference, 0);
    }
  });

  const { name, original, augmented, encoded: canvas } = augmentation ?? {};
  const change = parseName(String(name)).augmentation;
  if (!change) throw new UserError(`${place}: augmentation.name must be <task>_t<transform>_<ten digits>`);
  const before = parseGrid(original, `${place}: augmentation.original`);
  const after = parseGrid(augmented, `${place}: augmentation.augmented`);
  const label = augmentedName(String(task), change);
  comparison.elements('arc, augmentation', label, flat(augmentGrid(before, change)), flat(after), 0);
  comparison.elements('arc, undone', label, flat(augmentGrid(after, inverse(change))), flat(before), 0);
  const reference = canvasOf(canvas, `${place}: augmentation.encoded`);
  comparison.elements('arc, canvas', label, draw(augmentGrid(before, change)), reference, 0);
}

function compareCrop({ sequence, crop }: Json, place: string, comparison: Comparison): void {
  const found = cropGrid(canvasOf(sequence, `${place}.sequence`));
  if (!Array.isArray(crop)) throw new UserError(`${place}.crop must be a list of rows`);
  // A crop without rows is one that parseGrid, which reads tasks, would refuse.
  const expected =
    crop.length === 0 ? { rows: 0, columns: 0, cells: new Uint8Array(0) } : parseGrid(crop, `${place}.crop`);
  comparison.elements('arc, crop', place, flat(found), flat(expected), 0);
}

async function compareVote(
  json: Json,
  tensors: TensorFile,
  file: string,
  comparison: Comparison,
): Promise<void> {
  const { identifiers, K, solved, per_task } = json;
  const tasks = Object.entries<Json>(Object(per_task));
  const perTask = tasks.map(([task, list]) => [`per_task.${task}`, list]);
  for (const [key, list] of [...Object.entries({ identifiers, K, solved }), ...perTask]) {
    if (!Array.isArray(list)) throw new UserError(`${file}: ${key} must be a list`);
  }
  const vote = new ArcVote(identifiers);
  const ids = await tensors.readF32('puzzle_identifiers');
  const qHalt = await tensors.readF32('q_halt_logits');
  const [inputs, labels, predictions] = await Promise.all(
    ['inputs', 'labels', 'preds'].map((n) => tensors.readF32(n)),
  );
  for (let row = 0; row < ids.length; row++) {
    const of = (array: Float32Array) =>
      array.subarray(row * ARC_TOKENS.seq_len, (row + 1) * ARC_TOKENS.seq_len);
    const tokens = { input: of(inputs), label: of(labels), prediction: of(predictions) };
    vote.add({ puzzleIdentifier: ids[row], ...tokens, qHalt: qHalt[row] });
  }
  const score = vote.score(K);
  comparison.elements('arc, tasks', 'number of tasks', [score.tasks.size], [tasks.length], 0);
  for (const [task, solvedAt] of tasks) {
    const found = score.tasks.get(task) ?? [];
    comparison.elements('arc, tasks', `${task} solved, by K`, found.map(Number), solvedAt.map(Number), 0);
  }
  comparison.elements('arc, solved', 'tasks solved, by K', score.solved, solved, 0);
}

function canvasOf(value: unknown, place: string): number[] {
  if (Array.isArray(value) && value.length === ARC_TOKENS.seq_len && value.every(Number.isInteger))
    return value;
  throw new UserError(`${place} must be a list of ${ARC_TOKENS.seq_len} tokens`);
}

function draw(grid: Grid): Uint8Array {
  const canvas = new Uint8Array(ARC_TOKENS.seq_len);
  drawGrid(grid, canvas);
  return canvas;
}

/** Shape and cells in one list. */
function flat(grid: Grid): number[] {
  return [grid.rows, grid.columns, ...gridRows(grid).flat()];
}
