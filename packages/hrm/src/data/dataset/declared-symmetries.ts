/** Symmetries that own data declare: ways to look at a puzzle as another of the same task. */
import { oneLine, valueText } from '../../formats/quote.ts';

/** Cells that change places, tokens that are renamed, or both: y[i] = tokens[x[cells[i]]]. */
export interface DeclaredSymmetry {
  name: string;
  /** A permutation of the cells. */
  cells?: number[];
  /** A permutation of the tokens. */
  tokens?: number[];
}

/** What a list of symmetries is made of: `tokens`, or in users' files values. */
export interface SymmetrySizes {
  cells: number;
  /** The key of renamings, and of how many. */
  renamed: { key: 'tokens' | 'values'; count: number };
}

/** A symmetry as it stands in a file. */
export type WrittenSymmetry = { name: string } & Partial<Record<'cells' | 'tokens' | 'values', number[]>>;

/** The symmetries in JSON, or what is wrong with them. */
export function parseSymmetries(json: unknown, sizes: SymmetrySizes): WrittenSymmetry[] | string {
  const { key, count } = sizes.renamed;
  if (!Array.isArray(json)) return `symmetries are no list of {"cells": […], "${key}": […]}`;
  const parsed: WrittenSymmetry[] = [];
  for (const [i, entry] of json.entries()) {
    const which = `symmetry ${i + 1}`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return `${which} is no object`;
    const { name = String(i + 1), cells, [key]: renamed, ...others } = entry as Record<string, unknown>;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined)
      return `${which} has the unknown key '${oneLine(unknown)}', expected name, cells, ${key}`;
    if (typeof name !== 'string') return `${which} has a name that is no text`;
    if (cells === undefined && renamed === undefined) return `${which} has neither cells nor ${key}`;
    const problem =
      (cells === undefined ? undefined : notAPermutation(cells, sizes.cells, 'cells')) ??
      (renamed === undefined ? undefined : notAPermutation(renamed, count, key));
    if (problem) return `${which}: ${problem}`;
    parsed.push({
      name,
      ...(cells !== undefined && { cells: cells as number[] }),
      ...(renamed !== undefined && { [key]: renamed as number[] }),
    });
  }
  return parsed;
}

/** What is wrong with symmetries of tokens that a file declares; undefined where they are sound. */
export function faultOfSymmetries(
  json: unknown,
  { seq_len, vocab_size }: { seq_len: number; vocab_size: number },
): string | undefined {
  const sizes = { cells: seq_len, renamed: { key: 'tokens' as const, count: vocab_size } };
  const parsed = parseSymmetries(json, sizes);
  return typeof parsed === 'string' ? parsed : undefined;
}

function notAPermutation(list: unknown, count: number, what: string): string | undefined {
  const all = `a permutation of the ${count} ${what}, 0 to ${count - 1}`;
  if (!Array.isArray(list)) return `${what} are no list, expected ${all}`;
  if (list.length !== count) return `${what} are ${list.length} numbers, expected ${all}`;
  const seen = new Set<unknown>();
  for (const value of list) {
    if (!Number.isInteger(value) || value < 0 || value >= count)
      return `${what} hold ${valueText(value)}, expected ${all}`;
    if (seen.has(value)) return `${what} hold ${value} twice, expected ${all}`;
    seen.add(value);
  }
  return undefined;
}
