/** Tensors on their way to and from a peer's process: base64 in JSON. `peers/protocol.mjs` is the other side. */

/** A tensor on the host. */
export interface HostTensor {
  shape: readonly number[];
  data: Float32Array | Int32Array;
}

export interface EncodedTensor {
  dtype: 'f32' | 'i32';
  shape: readonly number[];
  data: string;
}

export function encodeTensor({ shape, data }: HostTensor): EncodedTensor {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { dtype: data instanceof Float32Array ? 'f32' : 'i32', shape, data: bytes.toString('base64') };
}

export function decodeTensor({ dtype, shape, data }: EncodedTensor): HostTensor {
  const { buffer } = new Uint8Array(Buffer.from(data, 'base64')); // a copy: at offset 0, as 4-byte elements need
  return { shape, data: dtype === 'f32' ? new Float32Array(buffer) : new Int32Array(buffer) };
}

export function mapValues<A, B>(
  object: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
