/** Which evaluation was the best. */

/** What evaluations are compared by. */
export interface Score {
  /** Exact accuracy. */
  exact: number;
  /** Of cells. */
  accuracy: number;
  /** lm_loss */
  loss: number;
}

/** Exact accuracy decides, between equals that of cells, then the loss; of evaluations equal in all the first stays. */
export function isBetter(score: Score, best: Score | null): boolean {
  if (!best) return true;
  if (score.exact !== best.exact) return score.exact > best.exact;
  if (score.accuracy !== best.accuracy) return score.accuracy > best.accuracy;
  return score.loss < best.loss;
}
