/** Element types of stored tensors, and their conversion to f32. */

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** Element types, by their safetensors names. */
export type DType = keyof typeof ARRAYS;

/** A tensor's elements, row-major. F16 and BF16 are raw bits in a Uint16Array, BOOL is bytes 0 and 1. */
export type TensorData = InstanceType<(typeof ARRAYS)[DType]>;

/** Whether `name` is a {@link DType}. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(ARRAYS, name);
}

/** Bytes of one element. */
export function dtypeBytes(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/**
 * Little-endian `bytes` as elements, without a copy where they are aligned. Assumes a little-endian machine, as every
 * machine with WebGPU is.
 */
export function typedView(dtype: DType, bytes: Uint8Array): TensorData {
  const Elements = ARRAYS[dtype];
  const width = Elements.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new Elements(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width);
}

// The conversions below are plain loops: `from` with a function takes thirty times as long.

/** The f32 values of bfloat16 `bits`: the upper halves of f32 numbers. */
export function bf16ToF32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return new Float32Array(words.buffer);
}

/** The bfloat16 bits nearest to `values`, ties to even as PyTorch rounds; NaN becomes the quiet NaN 0x7fc0. */
export function f32ToBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const nan = (words[i] & 0x7fffffff) > 0x7f800000;
    bits[i] = nan ? 0x7fc0 : (words[i] + 0x7fff + ((words[i] >>> 16) & 1)) >>> 16;
  }
  return bits;
}

/** The f32 values of IEEE 754 binary16 `bits`, subnormal numbers, infinities and NaN included. */
export function f16ToF32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  const values = new Float32Array(words.buffer);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] & 0x8000) << 16;
    const exponent = (bits[i] >> 10) & 31;
    const fraction = bits[i] & 0x3ff;
    if (exponent === 0) values[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    // The bias of the exponent is 15 in binary16 and 127 in f32; all ones mean infinity or NaN in both.
    else words[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}

/**
 * The IEEE 754 binary16 bits nearest to `values`, ties to even: values of 65,520 and more become infinite, those of 2⁻²⁵ and
 * less zero; NaN becomes the quiet NaN 0x7e00.
 */
export function f32ToF16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (words[i] >>> 16) & 0x8000;
    const size = words[i] & 0x7fffffff;
    if (size > 0x7f800000) bits[i] = 0x7e00;
    else if (size >= 0x477ff000) bits[i] = sign | 0x7c00;
    // From 2^-14 on: the other bias of the exponent, and 13 bits less.
    else if (size >= 0x38800000) bits[i] = sign | ((size - (112 << 23) + 0xfff + ((size >>> 13) & 1)) >>> 13);
    // Below, multiples of 2^-24: a sum of 2^52 and more has no fraction, and float64 rounds ties to even.
    else bits[i] = sign | (Math.abs(values[i]) * 2 ** 24 + 2 ** 52 - 2 ** 52);
  }
  return bits;
}

/** Elements as f32: exact from F16, BF16, BOOL and narrow integers, rounded to nearest from wider types. */
export function toF32(dtype: DType, data: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  if (dtype === 'BF16') return bf16ToF32(data as Uint16Array);
  if (dtype === 'F16') return f16ToF32(data as Uint16Array);
  if (!(data instanceof BigInt64Array)) return new Float32Array(data);
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) values[i] = Number(data[i]);
  return values;
}
