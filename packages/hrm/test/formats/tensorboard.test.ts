import { expect, it } from 'vitest';
import { crc32c } from '../../src/formats/crc32.ts';
import { scalarsRecord, startRecord, versionRecord } from '../../src/formats/tensorboard.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Bit by bit, as RFC 3720 has it: another way than the one that is tested. */
function crc32cOf(data: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of data)
    for (let bit = 0; bit < 8; bit++) {
      const low = (rest ^ (byte >> bit)) & 1;
      rest = (rest >>> 1) ^ (low ? 0x82f63b78 : 0);
    }
  return ~rest >>> 0;
}

it('has the check values of RFC 3720, B.4', () => {
  expect(crc32c(bytes('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

interface Field {
  field: number;
  value: number | Uint8Array;
}

/** The fields of a protocol buffer. */
function fieldsOf(data: Uint8Array): Field[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      value += (data[at] & 127) * scale;
      if (data[at++] < 128) return value;
    }
  };
  const fields: Field[] = [];
  while (at < data.length) {
    const key = varint();
    const passing = (length: number) => {
      at += length;
      return at - length;
    };
    const read: Record<number, () => number | Uint8Array> = {
      0: varint,
      1: () => view.getFloat64(passing(8), true),
      2: () => {
        const start = passing(varint());
        return data.subarray(start, at);
      },
      5: () => view.getFloat32(passing(4), true),
    };
    fields.push({ field: key >> 3, value: read[key & 7]() });
  }
  return fields;
}

/** The protocol buffer in a record, whose lengths and sums must be right. */
function dataOf(record: Uint8Array): Field[] {
  const view = new DataView(record.buffer);
  expect(view.getBigUint64(0, true)).toBe(BigInt(record.length - 16));
  const sum = (from: number, to: number) => {
    const crc = BigInt(crc32cOf(record.subarray(from, to)));
    return Number(BigInt.asUintN(32, (crc >> 15n) + ((crc << 17n) & 0xffffffffn) + 0xa282ead8n));
  };
  expect(view.getUint32(8, true)).toBe(sum(0, 8));
  expect(view.getUint32(record.length - 4, true)).toBe(sum(12, record.length - 4));
  return fieldsOf(record.subarray(12, record.length - 4));
}

it('writes records that say what they are', () => {
  expect(dataOf(versionRecord({ time: 1_700_000_000_500, step: 0 }))).toEqual([
    { field: 1, value: 1_700_000_000.5 },
    { field: 2, value: 0 },
    { field: 3, value: bytes('brain.Event:2') },
  ]);
  const [, step, session] = dataOf(startRecord({ time: 0, step: 300 }));
  expect(step).toEqual({ field: 2, value: 300 });
  expect(fieldsOf(session.value as Uint8Array)).toEqual([{ field: 1, value: 1 }]);
});

it('writes numbers under their tags, however long', () => {
  const tag = `train/${'ä'.repeat(100)}`;
  const scalars = { 'train/lm_loss': 0.1, [tag]: -3e38 };
  const [, step, summary] = dataOf(scalarsRecord({ time: 0, step: 2 ** 40 }, scalars));
  expect(step).toEqual({ field: 2, value: 2 ** 40 });
  const values = fieldsOf(summary.value as Uint8Array).map(({ value }) => fieldsOf(value as Uint8Array));
  expect(values).toEqual([
    [
      { field: 1, value: bytes('train/lm_loss') },
      { field: 2, value: Math.fround(0.1) },
    ],
    [
      { field: 1, value: bytes(tag) },
      { field: 2, value: Math.fround(-3e38) },
    ],
  ]);
});
