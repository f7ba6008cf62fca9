/** What memory a process can still have. Node only. */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** The number in a line of a file under /proc; undefined where there is none, as on other systems. */
function numberIn(path: string, line: RegExp): number | undefined {
  try {
    const [, text] = readFileSync(path, 'utf8').match(line) ?? [];
    return text === undefined || Number.isNaN(Number(text)) ? undefined : Number(text);
  } catch {
    return undefined;
  }
}

/** Bytes of addresses that are left under `ulimit -v`; undefined where nothing limits them. */
export function addressSpaceLeft(): number | undefined {
  const limit = numberIn('/proc/self/limits', /^Max address space +(\d+)/m);
  const size = numberIn('/proc/self/status', /^VmSize:\s+(\d+) kB/m);
  return limit === undefined || size === undefined ? undefined : Math.max(0, limit - 1024 * size);
}

/** Bytes that the machine, the container and the limits of the process leave for more. */
export function freeMemory(): number {
  const container = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(freemem(), container, addressSpaceLeft() ?? Number.POSITIVE_INFINITY);
}
