/** Tensors of a step as files. */
import { type DType, UserError } from '@hrm-webgpu/core';
import { encodeNpyHeader, encodeSafetensors } from 'hrm-webgpu/node';
import { numbersOf, type Output } from './step/walk.ts';

/** What a launch wrote, and what it is called in a file. */
export interface Dumped {
  label: string;
  output: Output;
  words: Uint32Array;
}

const FORMATS = { npy: npyOf, safetensors: safetensorsOf };

/** @throws UserError for a file that is called neither */
export function encoderFor(file: string): (found: readonly Dumped[], step: number) => Uint8Array {
  const format = file.match(/\.(npy|safetensors)$/)?.[1];
  if (!format) throw new UserError(`--out ${file}: expected FILE.npy or FILE.safetensors`);
  return FORMATS[format as keyof typeof FORMATS];
}

const NPY_TYPES: Record<DType, string> = { f32: '<f4', i32: '<i4', u32: '<u4' };

/** @throws UserError for more than one tensor */
function npyOf(found: readonly Dumped[]): Uint8Array {
  const [{ output, words }, ...rest] = found;
  if (rest.length > 0) {
    const labels = found.map(({ label }) => label).join(', ');
    throw new UserError(`these are ${found.length} tensors (${labels}), but .npy holds one`);
  }
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return Buffer.concat([encodeNpyHeader(NPY_TYPES[output.dtype], [...output.shape]), bytes]);
}

function safetensorsOf(found: readonly Dumped[], step: number): Uint8Array {
  const tensors = found.map(({ label, output: { dtype, shape }, words }) => {
    const type = dtype.toUpperCase() as 'F32' | 'I32' | 'U32';
    return [label, { dtype: type, shape, data: numbersOf(words, dtype) }] as const;
  });
  return Buffer.concat(encodeSafetensors(new Map(tensors), { step: String(step) }));
}
