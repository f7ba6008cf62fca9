/** Keeps what is known of a device in the user's cache folder, by adapter, driver and version of the kernels. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Device, UserError } from '@hrm-webgpu/core';
import { writeFileAtomic } from '../formats/files/atomic-write.node.ts';
import { readTextFile } from '../formats/files/file-source.node.ts';
import { makeFolder } from '../formats/files/make-folder.node.ts';
import { parseJson } from '../formats/json.ts';
import { fnv1a } from './fnv1a.ts';
import { applyChoices, parseChoices, parseVerdicts, tuningIdentity } from './tuning.ts';

/** Where the record of a device is kept: `$XDG_CACHE_HOME/hrm-webgpu`, else `~/.cache/hrm-webgpu`. */
export function tuningPlace(device: Device): string {
  return placeOf('tuning', device);
}

function placeOf(kind: 'tuning' | 'checked', device: Device): string {
  const folder = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const name = `${kind}-${fnv1a(identity(device)).toString(16).padStart(8, '0')}.json`;
  return join(folder, 'hrm-webgpu', name);
}

/**
 * Makes a device do operations as its record says, if there is one.
 *
 * @throws UserError when the record is damaged
 */
export async function loadTuning(device: Device): Promise<void> {
  const path = tuningPlace(device);
  if (!existsSync(path)) return;
  let record: { identity?: unknown; choices?: unknown } | null;
  try {
    record = parseJson(await readTextFile(path));
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`${path}: it is no JSON; remove it and run 'hrm tune' again, or use --no-tune`, {
      cause,
    });
  }
  if (record?.identity !== identity(device)) return; // another device with the same hash
  applyChoices(device, parseChoices(record.choices, path));
}

/** Keeps the device's record for later processes. */
export async function saveTuning(device: Device): Promise<void> {
  const path = tuningPlace(device);
  makeFolder(join(path, '..'));
  const record = { identity: identity(device), choices: Object.fromEntries(device.tuning) };
  await writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(record, null, 1)}\n`)]);
}

/** Kernels are checked before they are first used: there is no page to keep waiting. */
export const CHECK_FIRST = true;

/** Verdicts on kernels, by kernel and constants; see verify.ts. What cannot be read counts as not there. */
export async function loadVerdicts(device: Device): Promise<Record<string, string>> {
  try {
    const record = parseJson(await readTextFile(placeOf('checked', device)));
    return record.identity === identity(device) ? parseVerdicts(record.verdicts) : {};
  } catch {
    return {};
  }
}

/** Keeps verdicts; where that is impossible, kernels are checked again next time. */
export async function saveVerdicts(device: Device, verdicts: Record<string, string>): Promise<void> {
  const path = placeOf('checked', device);
  const text = `${JSON.stringify({ identity: identity(device), verdicts }, null, 1)}\n`;
  try {
    makeFolder(join(path, '..'));
    await writeFileAtomic(path, [new TextEncoder().encode(text)]);
  } catch {}
}

function identity(device: Device): string {
  const { version } = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
  return tuningIdentity(device, `webgpu ${version}`);
}
