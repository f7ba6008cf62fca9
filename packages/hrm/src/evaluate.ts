import { UserError } from '@hrm-webgpu/core';
import { evaluationCall, type MetricSums, readMetrics, totalLoss } from './act.ts';
import { Carry, uploadBatch } from './carry.ts';
import type { Split } from './data/dataset.ts';
import { testBatches } from './data/sampler.ts';
import type { HrmModel } from './model.ts';

/** Published metrics of an evaluation: means over the `count` examples that have labels. */
export interface Evaluation extends Omit<MetricSums, 'q_continue_loss'> {
  loss: number;
  /** Examples with every label right. */
  exact: number;
}

export interface EvaluateOptions {
  batchSize: number;
  /** Called after each batch with the examples done and the number of all. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Evaluates a model on all examples of a split: every row runs `halt_max_steps` segments, and the metrics are those
 * of the last one.
 */
export async function evaluate(model: HrmModel, split: Split, options: EvaluateOptions): Promise<Evaluation> {
  const { device, config } = model;
  const total = [...split.sets.values()].reduce(
    (n, set) => n + set.inputs.length / split.metadata.seq_len,
    0,
  );
  const sums = {} as MetricSums;
  let done = 0;
  for (const batch of testBatches(split, Math.min(options.batchSize, total))) {
    options.signal?.throwIfAborted();
    const metrics = device.scope(() => {
      const carry = Carry.fresh(model, batch.puzzleIdentifiers.length);
      const data = uploadBatch(device, batch);
      for (let segment = 1; segment < config.halt_max_steps; segment++)
        device.scope(() => void evaluationCall(carry, data));
      const last = evaluationCall(carry, data);
      carry.dispose();
      return last.metrics;
    });
    const part = await readMetrics(metrics, false);
    metrics.dispose();
    for (const name of Object.keys(part) as (keyof MetricSums)[]) sums[name] = (sums[name] ?? 0) + part[name];
    done += batch.rows;
    options.onProgress?.(done, total);
  }
  if (!Number.isFinite(sums.lm_loss)) {
    throw new UserError(`the loss is ${sums.lm_loss}: the weights of this model are not usable`);
  }
  const { q_continue_loss: _, ...rest } = sums;
  const mean = (value: number) => value / Math.max(1, sums.count);
  const means = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, mean(value)]));
  return {
    ...(means as Omit<MetricSums, 'q_continue_loss'>),
    count: sums.count,
    loss: mean(totalLoss({ ...sums, q_continue_loss: 0 })),
    exact: sums.exact_accuracy,
  };
}
