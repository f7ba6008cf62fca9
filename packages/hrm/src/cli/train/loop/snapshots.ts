/** Which evaluation was the best, and the weights of the last ones. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SNAPSHOTS, snapshotsIn } from '../../../checkpoints/model-file.node.ts';
import { writeFileAtomic } from '../../../formats/files/atomic-write.node.ts';
import { makeFolder } from '../../../formats/files/make-folder.node.ts';

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

/** Writes the weights of a step beside those of others, and removes all but the last `keep`. */
export async function writeSnapshot(
  folder: string,
  step: number,
  weights: Uint8Array[],
  keep: number,
): Promise<void> {
  makeFolder(join(folder, SNAPSHOTS));
  await writeFileAtomic(join(folder, SNAPSHOTS, `step-${step}.safetensors`), weights);
  for (const path of snapshotsIn(folder).slice(0, -keep)) rmSync(path);
}
