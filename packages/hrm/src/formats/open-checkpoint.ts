/** Opens a file of tensors by what it holds, not by its name: published checkpoints have no extension. */

import { UserError } from '@hrm-webgpu/core';
import type { ByteSource } from './files/byte-source.ts';
import { openSafetensors } from './safetensors.ts';
import type { TensorFile } from './tensor-file.ts';

/** What people mistake for checkpoints: how such files begin, what they are and what to do. */
const MISTAKES: readonly [prefix: string, meaning: string][] = [
  ['<', 'a web page (HTML or XML). Download the file itself, not the page about it'],
  [
    'version https://git-lfs',
    'a Git LFS pointer, not the file. Run `git lfs pull`, or download the file itself',
  ],
  [
    '\x80',
    'a bare pickle, as old versions of PyTorch wrote. Save it again in PyTorch 1.6 or later: ' +
      'torch.save(torch.load(path), path)',
  ],
  ['\x1f\x8b', 'compressed with gzip. Unpack it first'],
  ['\x89HDF', 'an HDF5 file'],
  ['GGUF', 'a GGUF file'],
  ['\0\0\0\0\0\0\0\0', 'zeros, as an interrupted download leaves. Download it again'],
];

function describe(head: Uint8Array): string {
  if (head.length === 0) return 'it is empty. Copy or download it again';
  const text = String.fromCharCode(...head).trimStart();
  const mistake = MISTAKES.find(([prefix]) => text.startsWith(prefix));
  if (mistake) return `it looks like ${mistake[1]}`;
  const hex = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `its first bytes are ${hex}`;
}

/** @throws UserError for a model of one network, whose tensors otherwise have the names of HRM's */
function refuseTrm({ name, names }: TensorFile): void {
  const has = (start: string) => names.some((tensor) => tensor.startsWith(start));
  if (has('H_level.') || !has('L_level.') || !has('lm_head.')) return;
  throw new UserError(
    `${name}: is a Tiny Recursive Model (TRM): it has no H_level. Expected a checkpoint of HRM.`,
  );
}

async function openKnown(source: ByteSource): Promise<TensorFile> {
  const head = await source.read(0, Math.min(source.size, 256));
  if (head[0] === 0x50 && head[1] === 0x4b) {
    const { openTorchCheckpoint } = await import('./torch/torch-checkpoint.ts'); // files of our own need none
    return openTorchCheckpoint(source);
  }
  const isSafetensors = head[8] === 0x7b; // the `{` of its header
  if (isSafetensors) return openSafetensors(source);
  throw new UserError(
    `${source.name}: not a checkpoint: ${describe(head)}. Expected a file written by torch.save (ZIP) or a safetensors file.`,
  );
}

/**
 * Opens a checkpoint of either format. Closing the result closes the source; so does a failure.
 * @throws UserError saying what is wrong with the file, or what it is instead
 */
export async function openTensorFile(source: ByteSource): Promise<TensorFile> {
  try {
    const file = await openKnown(source);
    refuseTrm(file);
    return file;
  } catch (error) {
    await source.close();
    throw error;
  }
}
