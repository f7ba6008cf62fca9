/** Keeps the parts of large files in this browser (Cache API), or in memory where that has no room. */
import type { PartStore } from './download.ts';

const CACHE = 'checkpoints';

interface Note {
  version: string;
  parts: number;
  complete: boolean;
}

/** A file that is kept, or the beginning of one. */
export interface Kept {
  id: string;
  bytes: number;
  complete: boolean;
}

/** Addresses that nobody fetches. */
const address = (id: string, name: string | number) => new URL(`kept/${id}/${name}`, location.href).href;

export class CachedParts implements PartStore {
  /** What the browser had no room for. */
  private readonly memory: Blob[] = [];
  private note: Note | undefined;

  /** @param onNoRoom told once when the browser keeps no more */
  constructor(
    private readonly id: string,
    private readonly onNoRoom: () => void = () => {},
  ) {}

  async read() {
    const note = await this.readNote();
    if (!note) return { parts: [...this.memory], complete: false };
    const cache = await open();
    const parts: Blob[] = [];
    for (let i = 0; i < note.parts; i++) {
      const part = await cache?.match(address(this.id, i));
      if (!part) break; // the browser has dropped it
      parts.push(await part.blob());
    }
    const whole = parts.length === note.parts;
    if (!whole) note.complete = false;
    return {
      parts: [...parts, ...(whole ? this.memory : [])],
      version: note.version,
      complete: note.complete,
    };
  }

  async begin(version: string): Promise<void> {
    this.note = { version, parts: 0, complete: false };
    await this.writeNote();
  }

  async add(part: Blob): Promise<void> {
    const { note } = this;
    if (!note) throw new Error('a part before the beginning');
    const cache = this.memory.length === 0 ? await open() : undefined;
    try {
      if (!cache) throw new DOMException('no cache', 'QuotaExceededError');
      await cache.put(address(this.id, note.parts), new Response(part));
      note.parts++;
      await this.writeNote();
    } catch {
      if (this.memory.length === 0) this.onNoRoom();
      this.memory.push(part);
    }
  }

  async complete(): Promise<void> {
    if (!this.note) return;
    this.note.complete = true;
    // Of what lies in memory the next visit finds nothing.
    if (this.memory.length === 0) await this.writeNote();
  }

  async clear(): Promise<void> {
    this.memory.length = 0;
    this.note = undefined;
    await clearKept(this.id);
  }

  private async readNote(): Promise<Note | undefined> {
    this.note ??= await noteOf(this.id);
    return this.note;
  }

  private async writeNote(): Promise<void> {
    const cache = await open();
    await cache?.put(address(this.id, 'note'), new Response(JSON.stringify(this.note))).catch(() => {});
  }
}

/** The cache; undefined where the browser offers none, as in private windows of some. */
async function open(): Promise<Cache | undefined> {
  try {
    return await caches.open(CACHE);
  } catch {
    return undefined;
  }
}

async function noteOf(id: string): Promise<Note | undefined> {
  const found = await (await open())?.match(address(id, 'note'));
  return found?.json();
}

/** What is kept of the files of these names. */
export async function listKept(ids: readonly string[]): Promise<Kept[]> {
  const found = await Promise.all(
    ids.map(async (id) => {
      const { parts, complete } = await new CachedParts(id).read();
      return { id, bytes: parts.reduce((sum, { size }) => sum + size, 0), complete };
    }),
  );
  return found.filter(({ bytes }) => bytes > 0);
}

export async function clearKept(id: string): Promise<void> {
  const cache = await open();
  await cache?.delete(address(id, 'note')); // first: without it there is no file, whatever happens to the rest
  const keys = (await cache?.keys()) ?? [];
  const own = keys.filter(({ url }) => url.startsWith(address(id, '')));
  await Promise.all(own.map((key) => cache?.delete(key)));
}
