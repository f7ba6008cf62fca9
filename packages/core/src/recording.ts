import { type BufferPool, bufferSize, PooledBuffer } from './buffer-pool.ts';
import type { Dispatch } from './command-stream.ts';

/** A copy of the first `bytes` of a buffer into another. */
export interface Copy {
  source: PooledBuffer;
  target: PooledBuffer;
  bytes: number;
  /** Where in the target. */
  targetOffset: number;
}

/** What a replay does; where it is `onDemand`, one that asks for it. */
export type Command = (Dispatch | Copy) & { onDemand?: boolean };

/** What is known of a buffer that was made in the recording. */
export interface RecordedBuffer {
  /** Indices of the first and the last command that uses it; first is Infinity when none does. */
  first: number;
  last: number;
  /** Its tensors have been freed: its contents matter to nobody after the last command. */
  freed: boolean;
  /** Written by what not every replay does. */
  onDemand?: boolean;
  /** Contents from the host, the same in every replay. */
  constant?: Uint8Array;
}

/**
 * Takes the place of the GPU while a step is recorded: keeps the commands, and hands out buffers that exist in name
 * only. See {@link Plan} for what becomes of them.
 */
export class Recording {
  readonly commands: Command[] = [];
  readonly made = new Map<PooledBuffer, RecordedBuffer>();
  /** Buffers from outside, which the commands use where they are: held from their first use on, until the plan goes. */
  readonly captured = new Set<PooledBuffer>();
  /** Whether what comes is left out of replays that do not ask for it. */
  onDemand = false;

  constructor(private readonly pool: BufferPool) {}

  acquire(bytes: number, usage: GPUBufferUsageFlags): PooledBuffer {
    const buffer = new PooledBuffer(undefined, bufferSize(bytes), usage);
    this.made.set(buffer, { first: Number.POSITIVE_INFINITY, last: -1, freed: false });
    return buffer;
  }

  release(buffer: PooledBuffer): void {
    const made = this.made.get(buffer);
    if (made) made.freed = true;
  }

  dispatch(dispatch: Dispatch): void {
    const { program, buffers } = dispatch;
    program.prepare(); // while the recording goes on
    buffers.forEach((buffer, i) => {
      const { name, access } = program.shader.bindings[i];
      const what = `${program.name}: binding '${name}'`;
      if (access === 'read') this.reads(buffer, what);
      else this.writes(buffer, what);
    });
    this.append(dispatch);
  }

  copy(copy: Copy): void {
    this.reads(copy.source, 'copy: its source');
    this.writes(copy.target, 'copy: its target');
    this.append(copy);
  }

  /** @throws Error for a tensor from outside: it would be written once, not in every replay */
  upload(target: PooledBuffer, data: ArrayBufferView, offset: number): void {
    const made = this.made.get(target);
    if (!made || made.first !== Number.POSITIVE_INFINITY) {
      throw new Error(
        'a recording cannot write host data to a tensor from outside, or that it has used: write it before the replay',
      );
    }
    made.constant ??= new Uint8Array(target.bytes);
    made.constant.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  }

  private append(command: Command): void {
    this.commands.push(this.onDemand ? { ...command, onDemand: true } : command);
  }

  private reads(buffer: PooledBuffer, what: string): void {
    const made = this.use(buffer);
    if (made?.onDemand && !this.onDemand)
      throw new Error(`${what} is read by every replay, but written by those alone that ask for it`);
    if (!made || made.constant || made.first < this.commands.length) return;
    throw new Error(`${what} is read, but nothing in the recording has written it`);
  }

  private writes(buffer: PooledBuffer, what: string): void {
    const made = this.use(buffer);
    if (made && this.onDemand) made.onDemand = true;
    if (!made?.constant) return;
    throw new Error(`${what} is written, but holds data from the host, which replays do not write again`);
  }

  private use(buffer: PooledBuffer): RecordedBuffer | undefined {
    const made = this.made.get(buffer);
    if (made) {
      made.first = Math.min(made.first, this.commands.length);
      made.last = this.commands.length;
    } else if (!this.captured.has(buffer)) {
      this.captured.add(buffer);
      this.pool.hold(buffer);
    }
    return made;
  }
}
