/** What Dawn and drivers say on stderr while they start. Node only. */
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let wanted = false;

/**
 * For commands, in a process of their own: from now on what drivers print while they start is dropped, or, where there is no adapter,
 * made a part of the message. For that moment descriptor 2 of the process is another file, which no library may do to the
 * process that it is a guest in.
 */
export function captureDriverOutput(): void {
  wanted = true;
}

/** Runs what starts a driver; `said` is what it printed, where that is captured. */
export async function aroundDriver<T>(action: () => Promise<T>): Promise<{ result: T; said: string }> {
  return wanted ? captureStderr(action) : { result: await action(), said: '' };
}

/**
 * Runs `action` with file descriptor 2 pointing at a temporary file. While it looks for an adapter, Dawn writes
 * warnings nobody can act on to stderr, and, when it finds none, the only account of why. Node cannot redirect
 * what native code writes, but a closed descriptor 2 is the number that the next open gets (POSIX: the lowest
 * free one). Linux only; elsewhere stderr stays as it is.
 */
async function captureStderr<T>(action: () => Promise<T>): Promise<{ result: T; said: string }> {
  const original = process.platform === 'linux' ? duplicateStderr() : undefined;
  const folder = original === undefined ? undefined : temporaryFolder();
  if (original === undefined || folder === undefined) return { result: await action(), said: '' };
  const file = join(folder, 'stderr');
  closeSync(2);
  openSync(file, 'w');
  try {
    const result = await action();
    const lines = readFileSync(file, 'utf8').split('\n');
    return {
      result,
      said: lines.filter((line) => line.trim() && !line.includes('artificially reduced')).join('\n'),
    };
  } finally {
    closeSync(2);
    openSync(`/proc/self/fd/${original}`, 'a');
    closeSync(original);
    rmSync(folder, { recursive: true });
  }
}

/** A new folder, or undefined where none can be made: then there is nothing to capture into. */
function temporaryFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'hrm-stderr-'));
  } catch {
    return undefined;
  }
}

/**
 * A second descriptor for what stderr is. Undefined where that cannot be reopened (a socket), and for a file: it would
 * be reopened with a position of its own, and others who write to it (stdout after `2>&1`) would overwrite our lines.
 */
function duplicateStderr(): number | undefined {
  try {
    if (fstatSync(2).isFile()) return undefined;
    return openSync('/proc/self/fd/2', 'a');
  } catch {
    return undefined;
  }
}
