import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { encodeNpy, type IntegerArray, parseNpy } from '../../../src/data/dataset/npy.ts';

/** A .npy file around any header and data bytes. */
function npy(header: string, data: number[] = [], version = 1): Uint8Array<ArrayBuffer> {
  const length =
    version === 1
      ? [header.length & 255, header.length >> 8]
      : [header.length & 255, header.length >> 8, 0, 0];
  const text = [...header].map((c) => c.charCodeAt(0));
  return Uint8Array.from([
    0x93,
    ...[...'NUMPY'].map((c) => c.charCodeAt(0)),
    version,
    0,
    ...length,
    ...text,
    ...data,
  ]);
}

const dict = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${shape}), }\n`;

/** Headers as NumPy 1.24 pads them: up to 64 · k bytes with the newline. */
const numpyHeader = (text: string) => `${text.padEnd(117)}\n`;

/** What `np.save` (NumPy 1.24.2) wrote: its header, its data bytes, and the array. */
const BY_NUMPY: [string, number[], string, number[], IntegerArray][] = [
  [
    "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }",
    [253, 255, 255, 255, 254, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0],
    'int32',
    [2, 3],
    Int32Array.of(-3, -2, -1, 0, 1, 2),
  ],
  [
    "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }",
    [0, 1, 2, 3, 4, 5],
    'uint8',
    [6],
    Uint8Array.of(0, 1, 2, 3, 4, 5),
  ],
  ["{'descr': '|u1', 'fortran_order': False, 'shape': (0, 81), }", [], 'uint8', [0, 81], new Uint8Array(0)],
  ["{'descr': '<i2', 'fortran_order': False, 'shape': (), }", [7, 0], 'int16', [], Int16Array.of(7)],
];

describe('parseNpy', () => {
  it.each(BY_NUMPY)('reads and writes the bytes of NumPy: %s', (header, data, dtype, shape, array) => {
    const bytes = npy(numpyHeader(header), data);
    expect(parseNpy(bytes, 'a.npy')).toEqual({ dtype, shape, data: array });
    expect(encodeNpy(array, shape)).toEqual(bytes);
  });

  it('reads booleans, 8- and 16-bit types', () => {
    expect(parseNpy(npy(dict('|b1', '2,'), [1, 0]), 'a').data).toEqual(Uint8Array.of(1, 0));
    expect(parseNpy(npy(dict('|i1', '2,'), [255, 1]), 'a').data).toEqual(Int8Array.of(-1, 1));
    expect(parseNpy(npy(dict('<u2', '1,'), [255, 255]), 'a').data).toEqual(Uint16Array.of(65535));
    expect(parseNpy(npy(dict('<i2', '1,'), [255, 255]), 'a').data).toEqual(Int16Array.of(-1));
  });

  it('reads 64-bit and unsigned 32-bit values that fit int32', () => {
    const i8 = new BigInt64Array([1n, -2n, 2147483647n, -2147483648n]);
    const parsed = parseNpy(npy(dict('<i8', '4,'), [...new Uint8Array(i8.buffer)]), 'a');
    expect(parsed).toEqual({
      dtype: 'int64',
      shape: [4],
      data: Int32Array.of(1, -2, 2147483647, -2147483648),
    });
    expect(parseNpy(npy(dict('<u8', '1,'), [9, 0, 0, 0, 0, 0, 0, 0]), 'a').data).toEqual(Int32Array.of(9));
    expect(parseNpy(npy(dict('<u4', '1,'), [9, 0, 0, 1]), 'a').data).toEqual(Int32Array.of(2 ** 24 + 9));
  });

  it('names the row of a value that does not fit int32', () => {
    const i8 = [...new Uint8Array(new BigInt64Array([0n, 1n, 2n, -2147483649n]).buffer)];
    expect(() => parseNpy(npy(dict('<i8', '2, 2'), i8), 'a.npy')).toThrow(/a\.npy, row 1: -2147483649 /);
    const u8 = [...new Uint8Array(new BigUint64Array([2n ** 64n - 1n]).buffer)];
    expect(() => parseNpy(npy(dict('<u8', '1,'), u8), 'a.npy')).toThrow(/row 0: 18446744073709551615 /);
    expect(() => parseNpy(npy(dict('<u4', '1,'), [0, 0, 0, 128]), 'a.npy')).toThrow(/row 0: 2147483648 /);
  });

  it('reads versions 2 and 3, any key order, double quotes and Python 2 longs', () => {
    const header = `{"shape": (1L, 2L), "fortran_order": False, "descr": "<i2"}\n`;
    for (const version of [2, 3]) {
      expect(parseNpy(npy(header, [1, 0, 2, 0], version), 'a').data).toEqual(Int16Array.of(1, 2));
    }
  });

  it('reads from the middle of a larger buffer, aligned or not', () => {
    const file = npy(dict('<i4', '1,'), [5, 0, 0, 0]);
    for (const offset of [0, 1, 2, 3]) {
      const larger = new Uint8Array(file.length + 8);
      larger.set(file, offset);
      expect(parseNpy(larger.subarray(offset, offset + file.length), 'a').data).toEqual(Int32Array.of(5));
    }
  });

  const hostile: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
    ['an empty file', new Uint8Array(0), /not a \.npy file/],
    ['another format', Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]), /not a \.npy file/],
    ['an unknown version', npy(dict('|u1', '0,'), [], 4), /version 4/],
    ['a header cut short', npy(dict('|u1', '0,')).subarray(0, 40), /ends within its header/],
    ['a preamble cut short', npy('', [], 2).subarray(0, 10), /ends within its header/],
    ['a huge header', Uint8Array.from([...npy('', [], 2).subarray(0, 8), 255, 255, 255, 255]), /4294967295/],
    ['Fortran order', npy(dict('|u1', '2, 2', 'True'), [1, 2, 3, 4]), /Fortran order/],
    ['big-endian', npy(dict('>i4', '1,'), [0, 0, 0, 1]), /little-endian/],
    ['floats', npy(dict('<f4', '1,'), [0, 0, 0, 0]), /'<f4', expected integers/],
    ['objects', npy(dict('|O', '1,'), [0x80]), /'\|O', expected integers/],
    ['an inherited property as type', npy(dict('toString', '1,'), [0]), /expected integers/],
    [
      'a structured type',
      npy(`{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }`),
      /header/,
    ],
    ['too little data', npy(dict('<i4', '2,'), [1, 0, 0, 0]), /4 bytes .* needs 8/],
    ['too much data', npy(dict('|u1', '1,'), [1, 2]), /2 bytes .* needs 1/],
    ['a shape beyond all memory', npy(dict('|u1', '9'.repeat(400)), [1]), /needs Infinity/],
    ['a negative size', npy(dict('|u1', '-1,'), []), /header/],
    ['a missing key', npy(`{'descr': '|u1', 'shape': (1,), }`, [1]), /header/],
    ['an unknown key', npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (0,), 'x': True}`), /header/],
    ['code', npy(`__import__('os').system('true')`), /header/],
    ['trailing text', npy(`${dict('|u1', '0,')}x`), /header/],
  ];
  it.each(hostile)('refuses %s', (_, bytes, message) => {
    expect(() => parseNpy(bytes, 'a.npy')).toThrow(UserError);
    expect(() => parseNpy(bytes, 'a.npy')).toThrow(message);
    expect(() => parseNpy(bytes, 'a.npy')).toThrow(/^a\.npy/);
  });

  it('never throws anything but UserError, wherever a file is cut or a byte is changed', () => {
    const file = encodeNpy(Int32Array.of(1, 2, 3, 4), [2, 2]);
    const survives = (bytes: Uint8Array<ArrayBuffer>) => {
      try {
        parseNpy(bytes, 'a');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    };
    for (let i = 0; i < file.length; i++) {
      survives(file.slice(0, i));
      for (const value of [0, 0x27, 0x28, 0x39, 0xff]) {
        const changed = file.slice();
        changed[i] = value;
        survives(changed);
      }
    }
  });
});

it('encodeNpy refuses values that do not fill the shape', () => {
  expect(() => encodeNpy(Uint8Array.of(1, 2, 3), [2, 2])).toThrow(/3 values do not fill the shape \(2, 2\)/);
});
