import { readFileSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';

/**
 * Node makes the character U+FFFD of each byte of an argument that is no UTF-8, and would then look for a file of another name.
 *
 * @throws UserError that names such an argument as it is, where the system tells
 */
export function expectUtf8(args: readonly string[]): void {
  if (!args.some((arg) => arg.includes('\ufffd'))) return;
  const raw = rawArguments().find((bytes) => !isUtf8(bytes));
  if (!raw) return;
  throw new UserError(
    `$'${escaped(raw)}' is not UTF-8, and Node cannot open files by such names: rename it, or give a link to it`,
  );
}

/** Of this process; none where the system does not tell. */
function rawArguments(): Buffer[] {
  let all: Buffer;
  try {
    all = readFileSync('/proc/self/cmdline');
  } catch {
    return [];
  }
  const found: Buffer[] = [];
  for (let at = 0; at < all.length; ) {
    const end = all.indexOf(0, at);
    found.push(all.subarray(at, end < 0 ? all.length : end));
    at = end < 0 ? all.length : end + 1;
  }
  return found;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** As shells read it between $' and ': bytes that are not printable ASCII as \xff. */
const escaped = (bytes: Uint8Array) =>
  [...bytes]
    .map((byte) =>
      byte < 32 || byte > 126 || byte === 39 || byte === 92
        ? `\\x${byte.toString(16).padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('');
