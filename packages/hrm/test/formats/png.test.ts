import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { crc32 } from '../../src/formats/crc32.ts';
import { encodePng } from '../../src/formats/png.node.ts';

it('writes a header, the pixels behind a filter byte a row, and an end, each with its checksum', () => {
  const [width, height] = [5, 300]; // a height of two bytes
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 7) % 256);
  const png = Buffer.from(encodePng({ width, height, pixels }));
  expect([...png.subarray(0, 8)]).toEqual([...Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')]);

  const chunks: [type: string, data: Buffer][] = [];
  for (let at = 8; at < png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    expect(png.readUInt32BE(end)).toBe(crc32(png.subarray(at + 4, end)));
    chunks.push([png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, end)]);
    at = end + 4;
  }
  expect(chunks.map(([type]) => type)).toEqual(['IHDR', 'IDAT', 'IEND']);
  const [[, header], [, data], [, end]] = chunks;
  expect([...header]).toEqual([0, 0, 0, 5, 0, 0, 1, 44, 8, 2, 0, 0, 0]);
  const rows = inflateSync(data);
  expect(rows.length).toBe(height * (1 + 3 * width));
  for (let row = 0; row < height; row++) {
    const [filter, ...found] = rows.subarray(row * (1 + 3 * width), (row + 1) * (1 + 3 * width));
    expect(filter).toBe(0);
    expect(found).toEqual([...pixels.subarray(row * 3 * width, (row + 1) * 3 * width)]);
  }
  expect(end.length).toBe(0);
});

it('ends as every PNG does', () => {
  // The same in all files, its checksum too.
  const png = encodePng({ width: 1, height: 1, pixels: new Uint8Array(3) });
  expect(Buffer.from(png).toString('hex').slice(-24)).toBe('0000000049454e44ae426082');
});
