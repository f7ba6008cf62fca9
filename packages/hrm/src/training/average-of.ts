/** The average of a run, loaded where there is one: who trains without carries nothing of it. */
import type { TensorFile } from '../formats/tensor-file.ts';
import type { TrainConfig } from '../model/config.ts';
import type { HrmModel } from '../model/model.ts';
import type { Average } from './average.ts';

export type { Average };

/** @param file a checkpoint with the average; else it begins with the weights */
export async function averageOf(
  model: HrmModel,
  train: TrainConfig,
  file?: TensorFile,
): Promise<Average | undefined> {
  if (!train.ema) return undefined;
  const { Average } = await import('./average.ts');
  return Average.of(model, train, file);
}
