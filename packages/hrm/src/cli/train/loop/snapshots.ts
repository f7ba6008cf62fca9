/** The weights of the last evaluations. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SNAPSHOTS, snapshotsIn } from '../../../checkpoints/model-file.node.ts';
import { writeFileAtomic } from '../../../formats/files/atomic-write.node.ts';
import { makeFolder } from '../../../formats/files/make-folder.node.ts';

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
