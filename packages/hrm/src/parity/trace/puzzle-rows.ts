import { ulp } from './first-update.ts';
import type { Rates } from './trace-run.ts';

/**
 * Where sign-SGD can have taken the puzzle rows. In every step a row moves by lr, up or down, and decays: whatever its
 * gradients were, it differs from another history of the same steps by whole moves.
 */
export class PuzzleMoves {
  private readonly moves = new Map<number, { lr: number; decay: number }[]>();

  constructor(private readonly weightDecay: number) {}

  /** Notes a step on the rows with these identifiers, which may stand there several times. */
  note(identifiers: ArrayLike<number>, { puzzle_emb_lr: lr }: Rates): void {
    for (const identifier of new Set(Array.from(identifiers))) {
      const moves = this.moves.get(identifier) ?? [];
      moves.push({ lr, decay: lr * this.weightDecay });
      this.moves.set(identifier, moves);
    }
  }

  /**
   * How far each element of the rows [identifiers, width] may be from the published one: the rounding of its moves, or
   * that and one move that went the other way (or did not, zero being a sign). Rows that have not moved must be equal.
   */
  allowed(rows: Float32Array, reference: Float32Array, width: number): (element: number) => number {
    const turns = new Map([...this.moves].map(([identifier, moves]) => [identifier, turnsOf(moves)]));
    return (i) => {
      const identifier = Math.floor(i / width);
      const moves = this.moves.get(identifier) ?? [];
      if (moves.length === 0) return 0;
      const magnitude = Math.max(Math.abs(reference[i]), ...moves.map(({ lr }) => lr));
      const rounding = 2 * moves.length * ulp(magnitude);
      const error = Math.abs(rows[i] - reference[i]);
      const turn = turns.get(identifier)?.find((distance) => Math.abs(error - distance) <= rounding);
      return rounding + (turn ?? 0);
    };
  }
}

/** How far apart rows are now of which one made one of these moves the other way, or not at all. */
function turnsOf(moves: readonly { lr: number; decay: number }[]): number[] {
  let kept = 1;
  return moves.toReversed().flatMap(({ lr, decay }) => {
    const distance = lr * kept;
    kept *= 1 - decay;
    return [distance, 2 * distance];
  });
}
