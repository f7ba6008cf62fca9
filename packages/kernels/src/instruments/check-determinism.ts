/** Whether work gives the same bits each time. */
import { type Device, type Shape, Tensor, UserError } from '@hrm-webgpu/core';
import { place } from '../checks/compare.ts';

/** What a body may give: tensors by name, in a list, or one. */
export type Results = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/**
 * Runs `body` twice, or as often as `runs` says, and compares the bits of all tensors that it gives. The first run gets memory
 * that is new, the others what has been used: contents that nothing wrote show as well. NaNs are equal if their bits are.
 *
 * @param body must begin from the same state each time: one that moves parameters sets them first
 * @throws UserError naming the tensor and element that differs first, with both values and their bits
 */
export async function checkDeterminism(device: Device, body: () => Results, runs = 2): Promise<void> {
  if (!device?.tape || typeof body !== 'function')
    throw new UserError('checkDeterminism: expected a device and a function that gives tensors');
  if (!Number.isInteger(runs) || runs < 2)
    throw new UserError(`checkDeterminism: ${runs} runs, expected at least 2`);
  device.trim();
  const kept: Tensor[] = []; // to the end, so that no run gets the memory of the one before as it was
  try {
    const first = await bitsOf(device, body, kept);
    for (let run = 2; run <= runs; run++) compareRuns(first, await bitsOf(device, body, kept), run);
  } finally {
    for (const tensor of kept) tensor.dispose();
  }
}

/** What a tensor holds. */
interface Bits {
  words: Uint32Array;
  values: ArrayLike<number>;
  shape: Shape;
}

function compareRuns(first: ReadonlyMap<string, Bits>, other: ReadonlyMap<string, Bits>, run: number): void {
  for (const [name, { words, values, shape }] of first) {
    const found = other.get(name);
    if (found?.shape.join() !== shape.join())
      throw new UserError(`checkDeterminism: run ${run} gave another shape of ${name} than the first`);
    const at = words.findIndex((word, i) => word !== found.words[i]);
    if (at < 0) continue;
    const wrong = words.reduce((count, word, i) => count + Number(word !== found.words[i]), 0);
    const shown = (bits: Pick<Bits, 'words' | 'values'>) =>
      `${bits.values[at]} (0x${bits.words[at].toString(16).padStart(8, '0')})`;
    throw new UserError(
      `checkDeterminism: ${name}: run ${run} differs from the first in ${wrong} of ${words.length} elements; ` +
        `at ${place(at, shape)} it has ${shown(found)} instead of ${shown({ words, values })}`,
    );
  }
}

/** The results of a run by name; their tensors go to `kept`. */
async function bitsOf(device: Device, body: () => Results, kept: Tensor[]): Promise<Map<string, Bits>> {
  const results = device.unscoped(() => device.scope(body));
  const tensors = Object.entries(results instanceof Tensor ? { result: results } : results);
  kept.push(...tensors.map(([, tensor]) => tensor));
  const bits = new Map<string, Bits>();
  for (const [name, tensor] of tensors) {
    const values = await tensor.read();
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    bits.set(name, { words, values, shape: tensor.shape });
  }
  if (bits.size === 0) throw new UserError('checkDeterminism: the body gave no tensors');
  return bits;
}
