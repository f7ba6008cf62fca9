/** Kernels with one mistake each, of the kinds that people make and that adapters forgive. */

/** A kernel's text with a mistake. */
export interface Mutant {
  /** The kind of mistake. */
  kind: string;
  /** From 1. */
  line: number;
  /** What stood there, and what stands there now. */
  before: string;
  after: string;
  /** Names it in a list of explanations, where lines may have moved: kind, line's text, and which of several alike. */
  id: string;
  /** The whole text. */
  text: string;
}

interface Edit {
  kind: string;
  at: number;
  before: string;
  after: string;
}

/** Every mistake that is made in a kernel, in the order of its lines. `text` has no comments. */
export function mutantsOf(text: string): Mutant[] {
  const edits = [
    ...barriers(text),
    ...guards(text),
    ...bounds(text),
    ...starts(text),
    ...clamps(text),
    ...accumulators(text),
    ...constants(text),
  ]
    .filter(({ at }) => !asserted(text, at))
    .sort((a, b) => a.at - b.at);
  const seen = new Map<string, number>();
  return edits.map((edit) => {
    const start = text.lastIndexOf('\n', edit.at) + 1;
    const whole = text.slice(start, text.indexOf('\n', edit.at)).trim();
    const name = `${edit.kind}: ${edit.before} → ${edit.after} in ${whole}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return {
      kind: edit.kind,
      line: text.slice(0, edit.at).split('\n').length,
      before: edit.before,
      after: edit.after,
      id: count > 1 ? `${name} (${count})` : name,
      text: text.slice(0, edit.at) + edit.after + text.slice(edit.at + edit.before.length),
    };
  });
}

/** Whether that is in an assertion of the compiler's: a mistake there changes which settings there are, not what is computed. */
const asserted = (text: string, at: number) =>
  text.slice(text.lastIndexOf('\n', at) + 1, at).startsWith('const_assert');

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)];

/** A barrier that is missing. */
function barriers(text: string): Edit[] {
  return matches(text, /\b(?:workgroup|storage)Barrier\(\);/g).map((match) => ({
    kind: 'barrier removed',
    at: match.index,
    before: match[0],
    after: '',
  }));
}

/** A condition that always lets through: a guard that returns never does, one that encloses always does. */
function guards(text: string): Edit[] {
  return matches(text, /\bif \(/g).flatMap((match) => {
    const open = match.index + match[0].length - 1;
    const close = closing(text, open);
    const leaves = /^\s*\{\s*(?:return|continue|break)\b/.test(text.slice(close + 1));
    const before = text.slice(open + 1, close);
    return [{ kind: 'guard removed', at: open + 1, before, after: leaves ? 'false' : 'true' }];
  });
}

const SHIFTED: Record<string, string> = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

/** A bound that is one too far, or not far enough. */
function bounds(text: string): Edit[] {
  return matches(text, / (<=|>=|<|>) /g).map((match) => ({
    kind: 'bound shifted',
    at: match.index + 1,
    before: match[1],
    after: SHIFTED[match[1]],
  }));
}

/** A loop that begins one too late. */
function starts(text: string): Edit[] {
  return matches(text, /\bfor \(var \w+(?:: \w+)? = (0u?);/g).map((match) => ({
    kind: 'start shifted',
    at: match.index + match[0].length - 1 - match[1].length,
    before: match[1],
    after: match[1].replace('0', '1'),
  }));
}

/** An index that is not clamped: the first argument by itself. */
function clamps(text: string): Edit[] {
  return matches(text, /\b(?:min|max)\(/g).map((match) => {
    const open = match.index + match[0].length - 1;
    const close = closing(text, open);
    const before = text.slice(match.index, close + 1);
    return {
      kind: 'clamp removed',
      at: match.index,
      before,
      after: `(${firstArgument(text.slice(open + 1, close))})`,
    };
  });
}

/** Sums that are kept in half precision. Integers have none: such a mutant does not compile. */
function accumulators(text: string): Edit[] {
  const added = matches(text, /([\w.]+(?:\[[^\]=]*\])*) \+= ([^;{]+);/g).map((match) => ({
    kind: 'sum in f16',
    at: match.index,
    before: match[0],
    after: `${match[1]} = quantizeToF16(${match[1]} + (${match[2]}));`,
  }));
  const fused = matches(text, /\bfma\(/g).map((match) => {
    const before = text.slice(match.index, closing(text, match.index + match[0].length - 1) + 1);
    return { kind: 'sum in f16', at: match.index, before, after: `quantizeToF16(${before})` };
  });
  return [...added, ...fused];
}

/** Numbers that are off: a hundredth, or, where they stand for no number at all, much too near. */
function constants(text: string): Edit[] {
  return matches(text, /(?<![\w.])(?:\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+)f?\b/g).map((match) => ({
    kind: 'constant weakened',
    at: match.index,
    before: match[0],
    after: weakened(Number.parseFloat(match[0])),
  }));
}

function weakened(value: number): string {
  if (value === 0) return '0.01';
  if (value > 1e30) return '30.0';
  if (value < 1e-20) return '1e-3';
  return String(value * 1.01).includes('.') ? String(value * 1.01) : `${value * 1.01}.0`;
}

/** Where the parenthesis that opens at `open` closes. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error(`a parenthesis is not closed: ${text.slice(open, open + 40)}`);
}

function firstArgument(list: string): string {
  let depth = 0;
  for (let at = 0; at < list.length; at++) {
    if ('(['.includes(list[at])) depth += 1;
    if (')]'.includes(list[at])) depth -= 1;
    if (list[at] === ',' && depth === 0) return list.slice(0, at);
  }
  return list;
}
