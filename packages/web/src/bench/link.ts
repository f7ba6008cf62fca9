/** A result as a link: it stands in the address itself, and no server sees it. */
import type { Finding } from './api.ts';

/** A link is for looking at: longer tables than any benchmark makes are not shown. */
const MOST_BYTES = 200_000;
const MOST_ROWS = 200;

/** The finding as text for an address. */
export async function packFinding(finding: Finding): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(finding));
  const packed = await through(new CompressionStream('deflate-raw'), bytes);
  return btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/**
 * The finding of an address: whatever somebody wrote there.
 *
 * @throws Error in a sentence where it is none
 */
export async function unpackFinding(text: string): Promise<Finding> {
  let value: unknown;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const packed = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    value = JSON.parse(
      new TextDecoder().decode(await through(new DecompressionStream('deflate-raw'), packed)),
    );
  } catch {
    throw new Error('the link holds no result: part of it may be missing');
  }
  return checkedFinding(value);
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array<ArrayBuffer>) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    length += read.value.length;
    if (length > MOST_BYTES) throw new Error('too long');
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= MOST_ROWS && value.every(isText);

type Fields = Record<string, unknown>;

function isRatio(value: unknown): boolean {
  const { name, ok } = (value ?? {}) as Fields;
  return isText(name) && typeof ok === 'boolean';
}

function isPoint(value: unknown): boolean {
  const { name, intensity, gflops } = (value ?? {}) as Fields;
  return isText(name) && isNumber(intensity) && intensity > 0 && isNumber(gflops) && gflops > 0;
}

const isList = (value: unknown, of: (one: unknown) => boolean) =>
  Array.isArray(value) && value.length <= MOST_ROWS && value.every(of);

function isRoof(value: unknown): boolean {
  const { fmaGflops, copyGBs } = (value ?? {}) as Fields;
  return isNumber(fmaGflops) && fmaGflops > 0 && isNumber(copyGBs) && copyGBs > 0;
}

function isLimits(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every(isNumber);
}

/** @throws Error for anything that is not what {@link packFinding} packs */
function checkedFinding(value: unknown): Finding {
  const { table, controls, bars, shown, skipped, roofline, points, software, limits, ...texts } = (value ??
    {}) as Fields;
  const names = ['benchmark', 'title', 'form', 'adapter', 'browser', 'date'];
  const right =
    names.every((name) => isText(texts[name])) &&
    typeof software === 'boolean' &&
    isLimits(limits) &&
    isList(table, isTexts) &&
    isList(
      controls,
      (one) => isRatio(one) && ['ratio', 'low', 'high'].every((key) => isNumber((one as Fields)[key])),
    ) &&
    isList(bars, (one) => isRatio(one) && ['ratio', 'goal'].every((key) => isNumber((one as Fields)[key]))) &&
    isTexts(shown) &&
    isTexts(skipped) &&
    (roofline === undefined || isRoof(roofline)) &&
    isList(points, isPoint);
  if (!right) throw new Error('the link holds no result of this page');
  return value as Finding;
}
