/** How the documents that `--json` writes are read again. Node only. */
import { UserError } from '@hrm-webgpu/core';
import { fileSource, quoted } from 'hrm-webgpu/node';
import { COMMAND } from './checkout.node.ts';
import { DOCUMENT_FORMAT } from './document.ts';

/** Far above what a benchmark writes. */
const LARGEST_FILE = 64 * 2 ** 20;

/** The parts of a document that comparisons use; the rest of it is not looked at. */
export interface BenchDocument {
  /** The path it came from. */
  file: string;
  benchmark: string;
  title: string;
  /** Where it was measured: strings by name, such as `cpu` and `adapter.description`. */
  environment: ReadonlyMap<string, string>;
  /** How it was measured: JSON by name. */
  settings: ReadonlyMap<string, string>;
  /** By name. */
  results: ReadonlyMap<string, DocumentResult>;
  controls: readonly { name: string; low: number; high: number; ok: boolean }[];
}

export interface DocumentResult {
  /** Milliseconds a run; none where nothing was sampled. */
  samplesMs: readonly number[];
  /** Where there are no samples: every number of the result, by where it stands, as in `before.bytes`. */
  numbers: ReadonlyMap<string, number>;
}

/**
 * Reads the documents of a file.
 *
 * @throws UserError when the file cannot be read, or is not one of this format
 */
export async function readDocuments(file: string): Promise<BenchDocument[]> {
  const source = await fileSource(file);
  let text: string;
  try {
    if (source.size > LARGEST_FILE) {
      throw new UserError(
        `${file}: has ${source.size} bytes, far more than a benchmark writes. Name another file.`,
      );
    }
    text = new TextDecoder().decode(await source.read(0, source.size));
  } finally {
    await source.close();
  }
  return parseDocuments(text, file);
}

/** What a file holds: one document, or all of those that `bench all` wrote; `file` is what messages call it. */
export function parseDocuments(text: string, file: string): BenchDocument[] {
  const fail = failIn(file);
  const whole = asObject(parseJson(text, fail), 'the whole', fail);
  if (whole.documents === undefined) return [documentFrom(whole, file, fail)];
  expectFormat(whole, fail);
  const documents = asArray(whole.documents, 'documents', fail).map((document, i) => {
    const failHere: Fail = (what) => fail(`documents[${i}]: ${what}`);
    return documentFrom(asObject(document, 'the whole', failHere), file, failHere);
  });
  if (documents.length === 0) fail('it has no documents: no benchmark came to its end');
  return documents;
}

/** A document from its text. */
export function parseDocument(text: string, file: string): BenchDocument {
  const fail = failIn(file);
  return documentFrom(asObject(parseJson(text, fail), 'the whole', fail), file, fail);
}

function failIn(file: string): Fail {
  return (what) => {
    const remedy = `Write it with: ${COMMAND} <name> --out file.json`;
    throw new UserError(`${file}: is not what \`bench --json\` writes: ${what}. ${remedy}`);
  };
}

function expectFormat(document: Record<string, unknown>, fail: Fail): void {
  if (document.format === DOCUMENT_FORMAT) return;
  const found = document.format === undefined ? 'no format' : `format ${shown(document.format)}`;
  fail(`it has ${found}, this version reads format ${DOCUMENT_FORMAT}`);
}

function documentFrom(document: Record<string, unknown>, file: string, fail: Fail): BenchDocument {
  expectFormat(document, fail);
  const results = new Map<string, DocumentResult>();
  asArray(document.results, 'results', fail).forEach((entry, i) => {
    const where = `results[${i}]`;
    const result = asObject(entry, where, fail);
    const name = asName(result.name, `${where}.name`, fail);
    if (results.has(name)) fail(`${where}.name is ${quoted(name)} for the second time`);
    results.set(name, resultOf(result, where, fail));
  });
  const controls = asArray(document.controls, 'controls', fail).map((entry, i) => {
    const control = asObject(entry, `controls[${i}]`, fail);
    return {
      name: asName(control.name, `controls[${i}].name`, fail),
      low: asPositive(control.low, `controls[${i}].low`, fail),
      high: asPositive(control.high, `controls[${i}].high`, fail),
      ok: control.ok === true,
    };
  });
  return {
    file,
    benchmark: asName(document.benchmark, 'benchmark', fail),
    title: asName(document.title, 'title', fail),
    environment: environmentOf(asObject(document.environment, 'environment', fail), fail),
    settings: new Map(
      Object.entries(asObject(document.settings, 'settings', fail)).map(([key, value]) => [
        key,
        shown(value),
      ]),
    ),
    results,
    controls,
  };
}

/** Refuses a document. */
type Fail = (what: string) => never;

function resultOf(result: Record<string, unknown>, where: string, fail: Fail): DocumentResult {
  const samples = result.samplesMs === undefined ? [] : asArray(result.samplesMs, `${where}.samplesMs`, fail);
  const samplesMs = samples.map((value, i) => asPositive(value, `${where}.samplesMs[${i}]`, fail));
  const numbers = new Map<string, number>();
  if (samples.length === 0) collectNumbers(result, [], numbers, where, fail);
  return { samplesMs, numbers };
}

/** Deeper than anything that a benchmark writes; what lies below is not looked at. */
const DEEPEST = 8;

function collectNumbers(
  value: unknown,
  path: readonly string[],
  found: Map<string, number>,
  where: string,
  fail: Fail,
): void {
  if (Number.isFinite(value)) found.set(asName(path.join('.'), `a name in ${where}`, fail), value as number);
  if (typeof value !== 'object' || value === null || path.length === DEEPEST) return;
  for (const [key, part] of Object.entries(value)) collectNumbers(part, [...path, key], found, where, fail);
}

function parseJson(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return fail(`no JSON (${quoted((cause as Error).message)})`);
  }
}

/** What must be the same for two times to be comparable. */
function environmentOf(environment: Record<string, unknown>, fail: Fail): Map<string, string> {
  const adapter = asObject(environment.adapter, 'environment.adapter', fail);
  const named = {
    ...environment,
    ...Object.fromEntries(Object.entries(adapter).map(([k, v]) => [`adapter.${k}`, v])),
  };
  return new Map(
    Object.entries(named)
      .filter(([, value]) => typeof value !== 'object')
      .map(([name, value]) => [name, shown(value)]),
  );
}

function asObject(value: unknown, where: string, fail: Fail): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  return fail(`${where} is ${shown(value)}, expected an object`);
}

function asArray(value: unknown, where: string, fail: Fail): unknown[] {
  return Array.isArray(value) ? value : fail(`${where} is ${shown(value)}, expected an array`);
}

/** Names go to the terminal as they are, so that they must be plain. */
function asName(value: unknown, where: string, fail: Fail): string {
  if (typeof value === 'string' && /^[^\p{C}]{1,200}$/u.test(value)) return value;
  return fail(`${where} is ${shown(value)}, expected a line of text`);
}

function asPositive(value: unknown, where: string, fail: Fail): number {
  if (typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY) return value;
  return fail(`${where} is ${shown(value)}, expected a positive number`);
}

/** Any value as short text without control characters. */
function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  return typeof value === 'string'
    ? quoted(value)
    : quoted(JSON.stringify(value)).slice(1, -1).replaceAll('\\"', '"');
}
