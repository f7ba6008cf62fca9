/** CRC-32, four bytes at a step: that of ZIP, PNG and our checkpoints, and Castagnoli's. */

/** Table k: what a byte k places before the end of four does to the remainder ("slicing by 4", Kounavis & Berry 2005). */
const TABLES = /* @__PURE__ */ makeTables(0xedb88320);
const CASTAGNOLI = /* @__PURE__ */ makeTables(0x82f63b78);

/** @param polynomial reflected */
function makeTables(polynomial: number): Uint32Array[] {
  const tables = Array.from({ length: 4 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    tables[0][byte] = rest;
  }
  for (let k = 1; k < 4; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[k - 1][byte];
      tables[k][byte] = (before >>> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

/** The CRC-32 of `bytes`, going on from the `crc` of what came before them. */
export const crc32 = (bytes: Uint8Array, crc = 0): number => remainder(TABLES, bytes, crc);

/** CRC-32C, that of TFRecord files. */
export const crc32c = (bytes: Uint8Array): number => remainder(CASTAGNOLI, bytes, 0);

function remainder([t0, t1, t2, t3]: readonly Uint32Array[], bytes: Uint8Array, crc: number): number {
  let rest = ~crc;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    rest ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    rest = t3[rest & 0xff] ^ t2[(rest >>> 8) & 0xff] ^ t1[(rest >>> 16) & 0xff] ^ t0[rest >>> 24];
  }
  for (; i < bytes.length; i++) rest = (rest >>> 8) ^ t0[(rest ^ bytes[i]) & 0xff];
  return ~rest >>> 0;
}
