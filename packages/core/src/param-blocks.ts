import type { ParamValues, Program } from './program.ts';

/** Parameters of a dispatch are bound as so many bytes at a multiple of them. */
export const PARAMS_STRIDE = 256;

/**
 * The contents of a uniform buffer for the parameters of dispatches. Equal blocks are stored once, so that a dispatch
 * which comes again is the same bind group again: a group with a dynamic offset costs the host twice as much to set.
 */
export class ParamBlocks {
  private readonly data: ArrayBuffer;
  private readonly view: DataView;
  private readonly offsets = new Map<string, number>();
  private uploaded = 0;

  /** For up to `capacity` different blocks. */
  constructor(private readonly capacity: number) {
    this.data = new ArrayBuffer(PARAMS_STRIDE * (capacity + 1)); // one more, to pack what may be there already
    this.view = new DataView(this.data);
  }

  /** Bytes in use. */
  get bytes(): number {
    return PARAMS_STRIDE * this.offsets.size;
  }

  /**
   * The byte offset of these parameters, or undefined when there is no room for them.
   *
   * @throws Error when a field is missing, unknown or not a number
   */
  place(program: Program, values: ParamValues): number | undefined {
    const next = this.bytes;
    program.packParams(values, this.view, next);
    const key = new Uint32Array(this.data, next, program.shader.params.length).join();
    const present = this.offsets.get(key);
    if (present !== undefined || this.offsets.size === this.capacity) return present;
    this.offsets.set(key, next);
    return next;
  }

  get contents(): Uint8Array {
    return new Uint8Array(this.data, 0, this.bytes);
  }

  /** Has `write` write to the buffer what it does not hold yet. */
  upload(write: (data: Uint8Array, offset: number) => void): void {
    if (this.uploaded === this.bytes) return;
    write(new Uint8Array(this.data, this.uploaded, this.bytes - this.uploaded), this.uploaded);
    this.uploaded = this.bytes;
  }

  /** Forgets all blocks. */
  clear(): void {
    this.offsets.clear();
    this.uploaded = 0;
  }
}
