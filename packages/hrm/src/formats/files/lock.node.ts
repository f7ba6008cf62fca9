/** A lock that says which process holds it, so that those of processes that have ended are known. Node only. */
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from '@hrm-webgpu/core';
import { parseJson } from '../json.ts';
import { faultIn, isRecord, RULES, type Rules } from '../record-rules.ts';
import { temporaryName } from './atomic-write.node.ts';
import { fileError } from './file-error.node.ts';

/** A process, as others on its machine can tell it from the next of the same number. */
interface Holder {
  pid: number;
  host: string;
  /** The numbers of processes count within: in two containers there may be the same. Empty where the system does not tell. */
  space: string;
  /** When the process started, in a form of the system's own. Empty where the system does not tell. */
  born: string;
  /** When it took the lock, for people. */
  start: string;
}

const HOLDER: Rules<keyof Holder> = {
  pid: RULES.positive,
  host: RULES.text,
  space: RULES.text,
  born: RULES.text,
  start: RULES.text,
};

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** Processes of one boot and one namespace have different numbers. */
const space = () =>
  [
    attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    attempt(() => readlinkSync('/proc/self/ns/pid')),
  ].join(' ');

/** Ticks since the machine started, the 22nd field; the second may hold spaces, but ends with the last parenthesis. */
const bornAt = (pid: number) =>
  attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? '');

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's
  }
}

/** `ended` where that is sure; what cannot be seen from here may go on. */
function stateOf(holder: Holder): 'running' | 'ended' | 'unknown' {
  if (holder.host !== hostname()) return 'unknown';
  if (holder.space !== space()) {
    // Another boot of this machine, or another container on it, whose processes are not seen.
    const [boot] = holder.space.split(' ');
    return boot && boot !== space().split(' ')[0] ? 'ended' : 'unknown';
  }
  if (!isRunning(holder.pid)) return 'ended';
  return holder.born === bornAt(holder.pid) ? 'running' : 'ended';
}

export class Lock {
  private held = true;

  private constructor(
    readonly path: string,
    private readonly text: string,
  ) {}

  /**
   * Takes a lock, which is a file; one that a process left behind that has ended is taken over.
   *
   * @param what is locked, for messages
   * @throws UserError when another process has it, or may have it
   */
  static take(path: string, what: string): Lock {
    const holder: Holder = {
      ...{ pid: process.pid, host: hostname(), space: space(), born: bornAt(process.pid) },
      start: new Date().toISOString(),
    };
    const text = `${JSON.stringify(holder)}\n`;
    while (!create(path, text)) if (expectEnded(path, what)) putAside(path);
    return new Lock(path, text);
  }

  /** @throws UserError when another process has it, or may have it; as {@link Lock.take}, without taking it */
  static expectFree(path: string, what: string): void {
    const holder = read(path);
    const isOwn = typeof holder === 'object' && holder.pid === process.pid && stateOf(holder) === 'running';
    if (!isOwn) expectEnded(path, what);
  }

  /** Whether a lock is there that no process holds any more. */
  static isStale(path: string): boolean {
    const holder = read(path);
    return typeof holder === 'object' && stateOf(holder) === 'ended';
  }

  /** Whether a lock is there that a process holds, or may hold. */
  static isHeld(path: string): boolean {
    return read(path) !== 'gone' && !Lock.isStale(path);
  }

  /** Gives it back. */
  release(): void {
    if (!this.held) return;
    this.held = false;
    // Whoever had reason to take it away from us has one of their own there.
    if (attempt(() => readFileSync(this.path, 'utf8')) === this.text) rmSync(this.path, { force: true });
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** Makes the file, whole, where there is none. */
function create(path: string, text: string): boolean {
  const own = temporaryName(path);
  try {
    writeFileSync(own, text, { flag: 'wx' });
    try {
      linkSync(own, path);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // ENOENT: whoever has the lock sweeps what others left unfinished, our file too.
      if (code === 'EEXIST' || code === 'ENOENT') return false;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw cause;
      // No hard links here. Whoever reads it in the moment before it is written takes it for damaged, and stays away.
      writeFileSync(path, text, { flag: 'wx' });
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError('cannot write', path, cause);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Whether there is a lock; @throws UserError unless its holder has ended */
function expectEnded(path: string, what: string): boolean {
  const holder = read(path);
  if (holder === 'gone') return false;
  const state = holder === 'damaged' ? 'unknown' : stateOf(holder);
  if (state !== 'ended') throw new UserError(inUse(path, what, holder, state));
  return true;
}

function read(path: string): Holder | 'gone' | 'damaged' {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw fileError('cannot read', path, cause);
  }
  try {
    const holder = parseJson(text);
    return isRecord(holder) && !faultIn(holder, HOLDER) ? (holder as unknown as Holder) : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** Of several that find it stale, one moves it away: nobody removes a lock that another has taken since. */
function putAside(path: string): void {
  const aside = temporaryName(path);
  try {
    renameSync(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw fileError('cannot write', path, cause);
  }
  const moved = read(aside);
  // Somebody was quicker, and has it by now: it goes back, unless it is there again.
  if (typeof moved === 'object' && stateOf(moved) !== 'ended') {
    attempt(() => {
      linkSync(aside, path);
      return '';
    });
  }
  rmSync(aside, { force: true });
}

function inUse(path: string, what: string, holder: Holder | 'damaged', state: string): string {
  if (holder === 'damaged')
    return `${what} is locked by ${path}, which is damaged. If nobody uses it, remove that file`;
  const { pid, host, start } = holder;
  const who = `process ${pid}${host === hostname() ? '' : ` on ${host}`} since ${start}`;
  if (state === 'running') return `${what} is used by ${who}. Wait for it, or stop it`;
  return `${what} is used by ${who}, which cannot be seen from here. If it has ended, remove ${path}`;
}
