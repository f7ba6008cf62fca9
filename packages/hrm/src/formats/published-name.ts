/**
 * A tensor's name without the wrappers it was trained in: the key after `_orig_mod.` (torch.compile) and
 * `model.inner.` (loss head and ACT wrapper), either of which may be missing.
 */
export function publishedName(key: string): string {
  return key.replace(/^(?:_orig_mod\.)?(?:model\.inner\.)?/, '');
}
