/** Collects how far arrays are from their references; one row for each group. */
export class Comparison {
  private readonly groups = new Map<string, ParityRow>();

  /**
   * Every |actual − reference| must be at most `allowed`, which may differ from element to element. NaN never is.
   *
   * @returns whether all are
   */
  elements(
    group: string,
    name: string,
    actual: ArrayLike<number>,
    reference: ArrayLike<number>,
    allowed: number | ((element: number) => number),
  ): boolean {
    if (!this.sameLength(group, name, actual, reference)) return false;
    const allowedAt = typeof allowed === 'number' ? () => allowed : allowed;
    let worst = { at: 0, error: 0, allowed: allowedAt(0), share: 0 };
    for (let at = 0; at < reference.length; at++) {
      const error = Math.abs(actual[at] - reference[at]);
      if (error === 0) continue;
      const found = { at, error, allowed: allowedAt(at), share: shareOf(error, allowedAt(at)) };
      if (!(found.share <= worst.share)) worst = found;
      if (Number.isNaN(error)) break;
    }
    const { at, error } = worst;
    const where = `${name}[${at}] = ${digits(actual[at])}, expected ${digits(reference[at])}`;
    return this.note(group, where, error, worst.allowed);
  }

  /** {@link relativeDistance} must be at most `allowed`. */
  norm(
    group: string,
    name: string,
    actual: ArrayLike<number>,
    reference: ArrayLike<number>,
    allowed: number,
  ): void {
    if (!this.sameLength(group, name, actual, reference)) return;
    this.note(group, name, relativeDistance(actual, reference), allowed);
  }

  /**
   * An error by itself, which must be at most `allowed`.
   *
   * @returns whether it is
   */
  note(group: string, where: string, error: number, allowed: number): boolean {
    const ok = error <= allowed;
    const row = this.groups.get(group);
    const share = shareOf(error, allowed);
    const kept = row && (row.share >= share || Number.isNaN(row.share));
    this.groups.set(group, {
      ...row,
      group,
      compared: (row?.compared ?? 0) + 1,
      ok: ok && (row?.ok ?? true),
      ...(kept
        ? { error: row.error, allowed: row.allowed, share: row.share, where: row.where }
        : { error, allowed, share, where }),
    });
    return ok;
  }

  /** Says something of a group that has been compared. */
  remark(group: string, remark: string): void {
    const row = this.rowOf(group);
    row.remarks = [...(row.remarks ?? []), remark];
  }

  /** Puts what became of an evaluation left to itself beside the group; it counts where it is judged. */
  beside(group: string, free: FreeRunning): void {
    const row = this.rowOf(group);
    row.free = free;
    row.ok &&= free.error <= free.allowed || !free.judged;
  }

  get rows(): ParityRow[] {
    return [...this.groups.values()];
  }

  private rowOf(group: string): ParityRow {
    const row = this.groups.get(group);
    if (!row) throw new Error(`nothing has been compared of '${group}'`);
    return row;
  }

  /** Arrays of different lengths are infinitely far apart. */
  private sameLength(
    group: string,
    name: string,
    actual: ArrayLike<number>,
    reference: ArrayLike<number>,
  ): boolean {
    if (actual.length === reference.length) return true;
    this.note(group, `${name}: ${actual.length} elements, expected ${reference.length}`, Number.NaN, 0);
    return false;
  }
}

/** ‖a − b‖₂/‖b‖₂ */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / (norm || 1));
}

/** The largest magnitude of an array, or `least` where that is larger. */
export function largest(values: Float32Array, least = 0): number {
  return values.reduce((a, b) => Math.max(a, Math.abs(b)), least);
}

function shareOf(error: number, allowed: number): number {
  if (allowed > 0) return error / allowed;
  return error === 0 ? 0 : error / 0; // infinitely more, and NaN stays NaN
}

/** What f32 holds of a number. */
function digits(value: number): number {
  return Number(value.toPrecision(9));
}

/** The worst comparison of a group. */
export interface ParityRow {
  group: string;
  /** Arrays compared. */
  compared: number;
  error: number;
  allowed: number;
  /** error/allowed */
  share: number;
  /** Array and element of the largest share of what is allowed. */
  where: string;
  ok: boolean;
  /** Of a segment of an evaluation: the same, where each segment started from the states that this engine had made. */
  free?: FreeRunning;
  /** What else there is to know: rows that were not judged. */
  remarks?: string[];
}

/** The worst comparison of a segment that this engine came to by itself. */
export interface FreeRunning {
  error: number;
  allowed: number;
  share: number;
  where: string;
  /** How many times larger a rounding error is after this segment than after the first. */
  growth: number;
  /** Whether `allowed` must be kept. */
  judged: boolean;
}
