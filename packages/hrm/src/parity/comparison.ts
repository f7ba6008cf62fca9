/** Collects how far arrays are from their references; one row for each group. */
export class Comparison {
  private readonly groups = new Map<string, ParityRow>();

  /** Every |actual − reference| must be at most `allowed`. NaN never is. */
  elements(
    group: string,
    name: string,
    actual: ArrayLike<number>,
    reference: ArrayLike<number>,
    allowed: number,
  ): void {
    if (!this.sameLength(group, name, actual, reference)) return;
    let worst = 0;
    let at = 0;
    for (let i = 0; i < reference.length; i++) {
      const error = Math.abs(actual[i] - reference[i]);
      if (!(error <= worst)) {
        worst = error;
        at = i;
        if (Number.isNaN(error)) break;
      }
    }
    this.note(group, `${name}[${at}] = ${actual[at]}, expected ${reference[at]}`, worst, allowed);
  }

  /** ‖actual − reference‖₂/‖reference‖₂ must be at most `allowed`. */
  norm(
    group: string,
    name: string,
    actual: ArrayLike<number>,
    reference: ArrayLike<number>,
    allowed: number,
  ): void {
    if (!this.sameLength(group, name, actual, reference)) return;
    let difference = 0;
    let norm = 0;
    for (let i = 0; i < reference.length; i++) {
      difference += (actual[i] - reference[i]) ** 2;
      norm += reference[i] ** 2;
    }
    this.note(group, name, Math.sqrt(difference / (norm || 1)), allowed);
  }

  get rows(): ParityRow[] {
    return [...this.groups.values()];
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

  private note(group: string, where: string, error: number, allowed: number): void {
    const ok = error <= allowed;
    const row = this.groups.get(group);
    const share = allowed > 0 ? error / allowed : error === 0 ? 0 : Number.POSITIVE_INFINITY;
    const kept = row && (row.share >= share || Number.isNaN(row.share));
    this.groups.set(group, {
      group,
      compared: (row?.compared ?? 0) + 1,
      ok: ok && (row?.ok ?? true),
      ...(kept
        ? { error: row.error, allowed: row.allowed, share: row.share, where: row.where }
        : { error, allowed, share, where }),
    });
  }
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
}
