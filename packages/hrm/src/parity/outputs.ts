/** What a call gave, in arrays by the fixtures' names. */
import type { Tensor } from '@hrm-webgpu/core';
import type { CallOutput } from '../model/act.ts';
import type { HrmModel } from '../model/model.ts';

export type Arrays = Record<string, Float32Array>;

/** Logits without the puzzle positions, and the two columns of q. */
export async function outputArrays(model: HrmModel, { logits, q }: CallOutput): Promise<Arrays> {
  const all = await logits.readF32();
  const { seq_len, vocab_size } = model.config;
  const values = await q.readF32();
  const perRow = model.positions * vocab_size;
  const kept = seq_len * vocab_size;
  return {
    logits: Float32Array.from(
      { length: (all.length / perRow) * kept },
      (_, i) => all[Math.floor(i / kept) * perRow + model.prefix * vocab_size + (i % kept)],
    ),
    q_halt_logits: values.filter((_, i) => i % 2 === 0),
    q_continue_logits: values.filter((_, i) => i % 2 === 1),
  };
}

/** {@link outputArrays} and the states, whole and at the first and last position. */
export async function evalArrays(model: HrmModel, output: CallOutput): Promise<Arrays> {
  const { hidden_size: dim } = model.config;
  const z_H = await output.z_H.readF32();
  const perRow = model.positions * dim;
  const token = (position: number) =>
    Float32Array.from(
      { length: (z_H.length / perRow) * dim },
      (_, i) => z_H[Math.floor(i / dim) * perRow + position * dim + (i % dim)],
    );
  return {
    ...(await outputArrays(model, output)),
    z_H,
    z_L: await output.z_L.readF32(),
    z_H_first_token: token(0),
    z_H_last_token: token(model.positions - 1),
  };
}

export function disposeAll(tensors: object): void {
  for (const tensor of Object.values(tensors) as Tensor[]) tensor.dispose();
}
