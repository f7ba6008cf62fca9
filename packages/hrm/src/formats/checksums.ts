/**
 * Checksums (CRC-32) that a safetensors file can carry of itself, in its metadata: one of each tensor's bytes, and one of its header.
 * They find what disks and networks do to a file, every single flipped bit among it; they prove nothing about who wrote it.
 */
import { crc32 } from './crc32.ts';
import { parseJson } from './json.ts';
import { isRecord } from './record-rules.ts';
import type { StoredTensor } from './tensor-file.ts';

/** By tensor, 8 hexadecimal digits each; JSON. */
const TENSORS_KEY = 'checksum_tensors';
/** Of the header as it stands in the file, these 8 digits as zeros. */
const HEADER_KEY = 'checksum_header';

const NONE = '00000000';
const HEADER_ENTRY = new RegExp(`"${HEADER_KEY}":"([0-9a-f]{8})"`);

const hex = (crc: number) => crc.toString(16).padStart(8, '0');

/** Metadata with the checksums of tensors and room for that of the header. */
export function withChecksums(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, number>,
): Record<string, string> {
  const crcs = Object.fromEntries([...tensors].map(([name, crc]) => [name, hex(crc)]));
  return { ...metadata, [HEADER_KEY]: NONE, [TENSORS_KEY]: JSON.stringify(crcs) };
}

/** The checksums of tensors that come in pieces; reads them all. */
export async function checksumsOf(
  tensors: ReadonlyMap<string, Pick<StoredTensor, 'pieces'>>,
): Promise<Map<string, number>> {
  const crcs = new Map<string, number>();
  for (const [name, { pieces }] of tensors) {
    let crc = 0;
    for await (const piece of pieces()) crc = crc32(piece, crc);
    crcs.set(name, crc);
  }
  return crcs;
}

/** Whether metadata have checksums. */
export const hasChecksums = (metadata: Readonly<Record<string, string>>) =>
  metadata[HEADER_KEY] !== undefined && metadata[TENSORS_KEY] !== undefined;

/** Puts the checksum of a header into it, where there is room for it. */
export function sealHeader(header: Uint8Array): void {
  const place = placeIn(header);
  if (place) header.set(new TextEncoder().encode(hex(crc32(header))), place.at);
}

/** What is wrong with a header that carries checksums, as its metadata say; undefined where nothing is, and for one without. */
export function faultOfHeader(
  header: Uint8Array,
  metadata: Readonly<Record<string, string>>,
): string | undefined {
  if (metadata[HEADER_KEY] === undefined && metadata[TENSORS_KEY] === undefined) return undefined;
  const place = placeIn(header);
  if (!place || !hasChecksums(metadata)) return 'its checksums are not whole';
  const zeroed = header.slice();
  zeroed.set(new TextEncoder().encode(NONE), place.at);
  const found = hex(crc32(zeroed));
  return found === place.digits
    ? undefined
    : `its header has the checksum ${found}, and says that it should be ${place.digits}`;
}

/** The bytes of a header are ASCII but for texts, and so a character is not always a byte. */
function placeIn(header: Uint8Array): { at: number; digits: string } | undefined {
  const match = HEADER_ENTRY.exec(new TextDecoder('latin1').decode(header));
  return match ? { at: match.index + HEADER_KEY.length + 4, digits: match[1] } : undefined;
}

/**
 * The checksums of tensors; undefined where there are none.
 *
 * @returns or what is wrong with them
 */
export function checksumsIn(
  metadata: Readonly<Record<string, string>>,
  names: readonly string[],
): Map<string, number> | string | undefined {
  const text = metadata[TENSORS_KEY];
  if (text === undefined) return undefined;
  let crcs: unknown;
  try {
    crcs = parseJson(text);
  } catch {
    return 'the checksums of its tensors are no JSON';
  }
  const isWhole =
    isRecord(crcs) &&
    Object.keys(crcs).length === names.length &&
    names.every((name) => /^[0-9a-f]{8}$/.test(String((crcs as Record<string, unknown>)[name])));
  if (!isWhole) return 'it has not one checksum for each of its tensors';
  return new Map(names.map((name) => [name, Number.parseInt((crcs as Record<string, string>)[name], 16)]));
}

/** The same pieces; what follows the last of them is an error where they have not the checksum that they should have. */
export async function* checkedPieces(
  pieces: AsyncIterable<Uint8Array>,
  expected: number,
  fail: (fault: string) => never,
): AsyncGenerator<Uint8Array> {
  let crc = 0;
  for await (const piece of pieces) {
    crc = crc32(piece, crc);
    yield piece;
  }
  if (crc !== expected) fail(`has the checksum ${hex(crc)}, and should have ${hex(expected)}`);
}
