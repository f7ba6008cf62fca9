/** The operands of a pickle's opcodes, read from its bytes. */

import { UserError } from '@hrm-webgpu/core';

const MAX_GLOBAL_BYTES = 256;

/** A position in the bytes of a pickle, with readers for each kind of operand. */
export class PickleBytes {
  private readonly view: DataView;
  private at = 0;
  private opcodeAt = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(found: string): never {
    throw new UserError(
      `${this.file}: refused pickle, at byte ${this.opcodeAt}: ${found}. Expected weights alone, saved by ` +
        'torch.save(model.state_dict(), path); nothing of the pickle was executed.',
    );
  }

  /** The next opcode. */
  opcode(): number {
    this.opcodeAt = this.at;
    return this.u8();
  }

  /** Moves past the next `length` bytes and returns where they start. */
  private take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) this.fail('it ends in the middle of a value');
    this.at += length;
    return start;
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** Python writes floats big-endian. */
  f64(): number {
    return this.view.getFloat64(this.take(8), false);
  }

  /** A little-endian two's complement number of as many bytes as the next byte says. */
  long(): number {
    const length = this.u8();
    if (length > 8) this.fail(`an integer of ${length} bytes`);
    const start = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i]);
    const signed = Number(BigInt.asIntN(8 * length, value));
    if (!Number.isSafeInteger(signed)) this.fail('an integer beyond 2^53');
    return signed;
  }

  /** The length of a frame: how much the writer held back at a time, which does not matter. */
  frame(): void {
    this.take(8);
  }

  text(length: number): string {
    const start = this.take(length);
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      return this.fail('a string that is not UTF-8');
    }
  }

  /** Text up to a line feed, as names are written. */
  line(): string {
    const limit = Math.min(this.bytes.length, this.at + MAX_GLOBAL_BYTES);
    const end = this.bytes.subarray(this.at, limit).indexOf(0x0a);
    if (end < 0) this.fail('a name without an end');
    const start = this.take(end + 1);
    return String.fromCharCode(...this.bytes.subarray(start, start + end));
  }
}
