import { UserError } from '@hrm-webgpu/core';
import { downloadUrl } from './download-url.browser.ts';
import { type OpenCheckpoint, type OpenOptions, openUrl } from './open-url.ts';

/**
 * Downloads the checkpoint behind a URL, absolute or relative to the page, with what stands beside it.
 *
 * @throws UserError when it is no URL, or cannot be downloaded
 */
export async function openNamed(name: string | URL, options: OpenOptions): Promise<OpenCheckpoint> {
  if (!URL.canParse(String(name), location.href)) throw new UserError(`'${name}' is no URL of a checkpoint`);
  return openUrl(new URL(name, location.href), options, downloadUrl);
}
