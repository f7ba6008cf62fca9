import type { Plan, Tensor } from '@hrm-webgpu/core';
import type { Batch } from '../../data/dataset/sampler.ts';
import {
  type Exploration,
  type MetricSums,
  noExploration,
  readMetrics,
  totalLoss,
  trainingCall,
} from '../../model/act.ts';
import { Carry, type DeviceBatch, emptyBatch, writeBatch } from '../../model/carry.ts';
import type { HrmModel } from '../../model/model.ts';
import { Optimizers, scheduleFactor } from '../../training/optimizers.ts';
import { type Fixture, readBatch } from '../fixture.ts';
import { namedGradients } from '../gradients.ts';
import type { Order } from '../opposite-order.ts';
import { disposeAll } from '../outputs.ts';

/** Learning rates of a step. */
export interface Rates {
  lr: number;
  puzzle_emb_lr: number;
}

/** What a step is given. */
export interface StepInput {
  rates: Rates;
  batch: Batch;
  /** What exploration drew, where the fixture has it. */
  drawn?: { uniform: Float32Array; minSteps: Uint32Array };
}

/** What a step gives, but for gradients and weights. */
export interface StepResult {
  sums: MetricSums & { loss: number };
  /** [batch, 2] */
  q: Float32Array;
  /** [batch], of the carry after the step */
  halted: Uint32Array;
  steps: Uint32Array;
  identifiers: Int32Array;
}

/** Reads what the fixture gives a step (from 1). */
export async function readStep({ trace, train, totalSteps }: Fixture, step: number): Promise<StepInput> {
  const { tensors: file } = trace as NonNullable<Fixture['trace']>;
  const factor = scheduleFactor(step, totalSteps, train);
  const rates = { lr: train.lr * factor, puzzle_emb_lr: train.puzzle_emb_lr * factor };
  const batch = await readBatch(file, `${step}.batch`);
  if (!file.names.includes(`${step}.explore_uniform`)) return { rates, batch };
  const minSteps = Uint32Array.from((await file.read(`${step}.explore_min_steps`)) as Int32Array);
  const uniform = await file.readF32(`${step}.explore_uniform`);
  return { rates, batch, drawn: { uniform, minSteps } };
}

/** A training, step by step, as the trainer runs it: recorded once and replayed. */
export class TraceRun {
  private readonly optimizers: Optimizers;
  private readonly carry: Carry;
  private readonly incoming: DeviceBatch;
  private readonly exploration: Exploration;
  private plan: Plan<{ metrics: Tensor; q: Tensor; gradients: Map<string, Tensor> }> | undefined;

  /** @param order in which the products of a step add */
  constructor(
    readonly model: HrmModel,
    private readonly fixture: Fixture,
    private readonly order: Order,
  ) {
    this.optimizers = new Optimizers(model, fixture.train);
    this.carry = Carry.fresh(model, fixture.batchSize);
    this.incoming = emptyBatch(model, fixture.batchSize);
    this.exploration = noExploration(this.carry);
  }

  async step({ rates, batch, drawn }: StepInput): Promise<StepResult> {
    this.optimizers.begin(rates);
    writeBatch(this.incoming, batch);
    if (drawn) {
      this.exploration.uniform.write(drawn.uniform);
      this.exploration.minSteps.write(drawn.minSteps);
    }
    this.plan ??= this.record();
    this.plan.replay();
    const { metrics, q } = this.plan.result;
    const { halted, steps, puzzle_identifiers } = this.carry.current;
    const [sums, qs, ...integers] = await Promise.all([
      readMetrics(metrics, this.model.config.halt_max_steps > 1),
      q.readF32(),
      halted.read(),
      steps.read(),
      puzzle_identifiers.read(),
    ]);
    const [flags, counts, identifiers] = integers as [Uint32Array, Uint32Array, Int32Array];
    const loss = totalLoss(sums);
    return { sums: { ...sums, loss }, q: qs, halted: flags, steps: counts, identifiers };
  }

  /** The gradients of the last step, by the names that the fixtures give them. */
  async gradients(): Promise<Map<string, Float32Array>> {
    return readAll(this.plan?.result.gradients ?? new Map());
  }

  weights(): Promise<Map<string, Float32Array>> {
    return readAll(this.model.weights);
  }

  /** Goes on with these weights instead of its own. The moments of Adam-atan2 stay. */
  takeOver(weights: ReadonlyMap<string, Float32Array>): void {
    for (const [name, values] of weights) this.model.weight(name).write(values);
    this.model.weightsChanged();
  }

  /** Goes on with these rows halted [batch]. */
  setHalted(halted: Uint32Array): void {
    this.carry.current.halted.write(halted);
  }

  dispose(): void {
    this.plan?.dispose();
    this.optimizers.dispose();
    this.carry.dispose();
    disposeAll(this.incoming);
    disposeAll(this.exploration);
  }

  private record() {
    const { model, carry, fixture } = this;
    return this.order(model.device, () =>
      model.device.record(() => {
        const call = trainingCall(carry, this.incoming, this.exploration, fixture.train.global_batch_size);
        this.optimizers.step(call.gradients, call.puzzle);
        const { metrics, q } = call.output;
        return { metrics, q, gradients: namedGradients(model, call.gradients, fixture.batchSize) };
      }),
    );
  }
}

async function readAll(tensors: ReadonlyMap<string, Tensor>): Promise<Map<string, Float32Array>> {
  const values = [...tensors].map(async ([name, tensor]) => [name, await tensor.readF32()] as const);
  return new Map(await Promise.all(values));
}
