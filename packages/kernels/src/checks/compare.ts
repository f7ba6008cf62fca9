/** Compares what a kernel wrote with its float64 reference, and says in words what is wrong. */
import { type HostArray, type Shape, sizeOf } from '@hrm-webgpu/core';

/** What came of comparing one array. */
export interface Comparison {
  binding: string;
  shape: Shape;
  /** The element that is furthest from what is allowed, in row-major order. */
  at: number;
  actual: number;
  expected: number;
  /** |actual − expected| */
  error: number;
  /** What is allowed in this array. */
  allowed: number;
  /** How many elements miss what is allowed. */
  wrong: number;
  /** What those have in common, where there is something: `all of the last row`, `columns ≥ 64`. */
  pattern?: string;
}

/**
 * Compares an array with the right one. A NaN is worse than any other, and so is an element that is missing.
 *
 * @param tolerance what each element may be off, relative to the largest right one (at least 1e-30)
 */
export function compareArrays(
  binding: string,
  actual: HostArray,
  expected: Float64Array,
  tolerance: number,
  shape: Shape = [expected.length],
): Comparison {
  const allowed = tolerance * expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30);
  const wrong: number[] = [];
  let worst = { at: 0, error: -1 };
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs(actual[at] - expected[at]);
    if (!(error <= allowed)) wrong.push(at);
    if (!(error <= worst.error) && !Number.isNaN(worst.error)) worst = { at, error };
  }
  const [values, pattern] = [
    { actual: actual[worst.at], expected: expected[worst.at] },
    patternOf(wrong, shape),
  ];
  return {
    binding,
    shape,
    ...worst,
    ...values,
    allowed,
    wrong: wrong.length,
    ...(pattern ? { pattern } : {}),
  };
}

/** Whether an array is within what is allowed; with a NaN it never is. */
export function isRight({ wrong }: Comparison): boolean {
  return wrong === 0;
}

/** The largest error as a share of what is allowed: 1 is just right. Integers that are right have none. */
export function marginOf({ error, allowed }: Comparison): number {
  return error === 0 ? 0 : error / allowed;
}

/** What is wrong with an array: `c: 12 of 680 wrong, all of the last row; worst [39, 3]: is 1, expected 2 …`. */
export function describeComparison(comparison: Comparison): string {
  const { binding, shape, at, actual, expected, error, wrong, pattern } = comparison;
  const off = Number.isFinite(error) ? `, off by ${error.toExponential(1)}${inUnits(comparison)}` : '';
  return (
    `${binding}: ${wrong} of ${sizeOf(shape)} wrong${pattern ? `, ${pattern}` : ''}; ` +
    `worst ${place(at, shape)}: is ${digits(actual)}, expected ${digits(expected)}${off}`
  );
}

/** So many tell two f32 apart. */
const digits = (value: number | undefined) => value && Number(value.toPrecision(9));

/** How far off that is; whole numbers are right or wrong. */
function inUnits({ error, allowed, actual, expected }: Comparison): string {
  if (allowed > 0) return ` (${short(error / allowed)} × what is allowed, ${ulps(error, expected)} ulp)`;
  return Number.isInteger(actual) && Number.isInteger(expected) ? '' : ` (${ulps(error, expected)} ulp)`;
}

/** An element's index in each dimension. */
export function place(at: number, shape: Shape): string {
  const indices: number[] = [];
  let rest = at;
  for (const extent of [...shape].reverse()) {
    indices.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return `[${indices.join(', ')}]`;
}

/** An error in units of the last place of the right number as f32. */
function ulps(error: number, expected: number): string {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(Math.fround(expected)) || 2 ** -126)));
  return short(error / 2 ** (exponent - 23));
}

const short = (value: number) => (value < 1000 ? value.toPrecision(3) : value.toExponential(1));

/** Strides beyond that are no tile of any kernel's. */
const LARGEST_STRIDE = 256;

/** What the elements of a two-dimensional array at these places have in common. */
function patternOf(places: readonly number[], shape: Shape): string | undefined {
  const columns = shape.at(-1) ?? 1;
  const rows = sizeOf(shape) / columns;
  if (places.length === 0) return undefined;
  if (places.length === rows * columns) return 'all of it';
  const across = indicesOf(places.map((at) => Math.floor(at / columns)));
  const along = indicesOf(places.map((at) => at % columns));
  const [row, column] = [
    describeIndices(across, rows, 'row'),
    describeIndices(along, columns, shape.length > 1 ? 'column' : 'element'),
  ];
  if (!row && !column) return undefined;
  // A dimension without a name is met in all of its extent, or here and there.
  const whole =
    places.length === across.length * along.length &&
    (row || across.length === rows) &&
    (column || along.length === columns);
  return `${whole ? 'all of' : 'in'} ${[row, column].filter((name) => name).join(', ')}`;
}

const indicesOf = (places: readonly number[]) => [...new Set(places)].sort((a, b) => a - b);

/** Names a set of rows or columns; undefined where it is all of them, or nothing that has a name. */
function describeIndices(indices: readonly number[], extent: number, what: string): string | undefined {
  const [first, last] = [indices[0], indices[indices.length - 1]];
  if (indices.length === extent) return undefined;
  if (indices.length === 1)
    return first > 0 && first === extent - 1 ? `the last ${what}` : `${what} ${first}`;
  if (last - first === indices.length - 1) {
    if (last === extent - 1) return `${what}s ≥ ${first}`;
    return first === 0 ? `${what}s < ${last + 1}` : `${what}s ${first} to ${last}`;
  }
  const stride = indices[1] - first;
  const regular = indices.every((index) => (index - first) % stride === 0);
  if (!regular || indices.length < 3 || stride < 2 || stride > LARGEST_STRIDE) return undefined;
  return `every ${ordinal(stride)} ${what}${first === 0 ? '' : ` from ${first}`}`;
}

function ordinal(count: number): string {
  const last = count % 100 > 10 && count % 100 < 14 ? 0 : count % 10;
  return `${count}${{ 1: 'st', 2: 'nd', 3: 'rd' }[last] ?? 'th'}`;
}
