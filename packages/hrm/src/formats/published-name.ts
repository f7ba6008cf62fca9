import { UserError } from '@hrm-webgpu/core';
import { quoted } from './quote.ts';

/**
 * A tensor's name without the wrappers it was trained in: the key after `module.` (data parallel), `_orig_mod.`
 * (torch.compile), in whichever order, and `model.inner.` (loss head and ACT wrapper), any of which may be missing.
 *
 * @param taken the names that other tensors of the file have
 * @param file what to call it in messages
 * @throws UserError when the name is taken
 */
export function publishedName(key: string, taken: ReadonlyMap<string, unknown>, file: string): string {
  const name = key.replace(/^(?:(?:module|_orig_mod)\.)*(?:model\.inner\.)?/, '');
  if (!taken.has(name)) return name;
  throw new UserError(
    `${file}: two of its tensors are named ${quoted(name)}, apart from prefixes. Keep one of them.`,
  );
}
