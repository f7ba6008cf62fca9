import { type Device, type Tensor, UserError } from '@hrm-webgpu/core';
import {
  add,
  attention,
  inputEmbedding,
  linear,
  qHead,
  residualRmsNorm,
  rope,
  swiglu,
} from '@hrm-webgpu/kernels';
import type { ModelConfig } from './config.ts';
import { gatherPuzzleRows } from './puzzle-shards.ts';
import { type ModelOptions, ModelWeights, type WeightSource } from './weights.ts';

/** The recurrent state [batch, T, D] of the two modules. */
export interface State {
  z_H: Tensor;
  z_L: Tensor;
}

/** What a segment reads: i32 tensors. */
export interface ModelInput {
  /** [batch, seq_len] */
  inputs: Tensor;
  /** [batch] */
  puzzle_identifiers: Tensor;
}

/** What a segment gives: the next state, logits [batch, T, V] (the first P positions count for nothing), q [batch, 2]. */
export interface SegmentOutput extends State {
  logits: Tensor;
  q: Tensor;
}

type Level = 'H' | 'L';

/**
 * Called within a segment after every step of a module, with the states as they are then: what it wants to keep it copies,
 * since the next step may write over them.
 */
export type StepObserver = (level: Level, state: Readonly<State>) => void;

/** The Hierarchical Reasoning Model (arXiv 2506.21734): its weights on one device and one segment of its computation. */
export class HrmModel extends ModelWeights {
  /** A model with the given weights; each is asked for once, in order. */
  static async load(
    device: Device,
    config: ModelConfig,
    weight: WeightSource,
    options: ModelOptions = {},
  ): Promise<HrmModel> {
    const model = new HrmModel(device, config);
    try {
      await model.fill(weight, options);
    } catch (error) {
      model.dispose();
      throw error;
    }
    return model;
  }

  /** A model with trained weights of its own, which are to be written, and all else that of another. */
  static sharing(other: HrmModel): HrmModel {
    const model = new HrmModel(other.device, other.config);
    model.share(other);
    return model;
  }

  /**
   * One segment: all steps but the last of each module without gradient, then one L step and one H step that are
   * recorded on the tape, from the detached states (the one-step gradient); or the last `gradient_cycles` H cycles.
   *
   * @param working memory that the warm states are written to, which may be that of `state`: more cycles then need no more
   *   memory than one
   */
  segment(state: State, input: ModelInput, working: State, observe?: StepObserver): SegmentOutput {
    const { device } = this;
    return device.scope(() => {
      const e = this.embed(input);
      const { z_H, z_L } =
        this.config.model === 'hrm' ? this.think(state, e, working, observe) : this.pass(e);
      return {
        z_H,
        z_L,
        logits: this.linear(z_H, 'lm_head.weight'),
        q: qHead(z_H, this.weight('q_head.weight'), this.weight('q_head.bias')),
      };
    });
  }

  /** What the model would answer if an H step came next: logits [batch, T, V], without gradient; the states stay. */
  intermediateLogits({ z_H, z_L }: Readonly<State>): Tensor {
    const { device } = this;
    return device.scope(() =>
      device.tape.noGrad(() => this.linear(this.level('H', z_H, [z_L]), 'lm_head.weight')),
    );
  }

  private think(state: State, e: Tensor, working: State, observe?: StepObserver): State {
    const { L_cycles, gradient_cycles: cycles } = this.config;
    let { z_H, z_L } = this.device.tape.noGrad(() => this.warmUp(state, e, working, observe));
    for (let h = 0; h < Math.max(1, cycles); h++) {
      for (let l = 0; l < (cycles === 0 ? 1 : L_cycles); l++) {
        z_L = this.level('L', z_L, [z_H, e]);
        observe?.('L', { z_H, z_L });
      }
      z_H = this.level('H', z_H, [z_L]);
      observe?.('H', { z_H, z_L });
    }
    return { z_H, z_L };
  }

  /** The blocks of both modules on the embedding, once. */
  private pass(e: Tensor): State {
    const z_L = this.blocks('L', e);
    return { z_H: this.blocks('H', z_L), z_L };
  }

  /** H_cycles × L_cycles steps but those that {@link think} records: the last of each module, or the last H cycles. */
  private warmUp(state: State, e: Tensor, working: State, observe?: StepObserver): State {
    const { H_cycles, L_cycles, gradient_cycles } = this.config;
    let z_H = state.z_H.detach();
    let z_L = state.z_L.detach();
    for (let h = 1; h <= H_cycles - gradient_cycles; h++) {
      for (let l = 1; l <= L_cycles; l++) {
        const last = h === H_cycles && l === L_cycles;
        if (last) continue;
        z_L = this.level('L', z_L, [z_H, e], working.z_L);
        observe?.('L', { z_H, z_L });
      }
      if (h === H_cycles) continue;
      z_H = this.level('H', z_H, [z_L], working.z_H);
      observe?.('H', { z_H, z_L });
    }
    return { z_H, z_L };
  }

  private embed({ inputs, puzzle_identifiers }: ModelInput): Tensor {
    const { config } = this;
    const [batch, seqLen] = inputs.shape;
    if (seqLen !== config.seq_len) {
      throw new UserError(`the model reads sequences of ${config.seq_len} tokens, got ${seqLen}`);
    }
    const localRows = this.localPuzzleRows(batch);
    return this.device.scope(() => {
      const rows = localRows && gatherPuzzleRows(this.puzzleShards, puzzle_identifiers);
      return inputEmbedding({
        inputs,
        tokens: this.weight('embed_tokens.embedding_weight'),
        puzzle: rows && { rows, prefix: this.prefix, localRows },
        positions: this.weights.get('embed_pos.embedding_weight'),
      });
    });
  }

  /**
   * x ← x + injection (the sum of `injected`), then the blocks of a module. Where `into` is given, which may be `state`, x
   * stays there from beginning to end; only where no gradient is wanted.
   */
  private level(level: Level, state: Tensor, injected: readonly Tensor[], into?: Tensor): Tensor {
    return this.device.scope(() => {
      const x = this.device.scope(() =>
        add(
          state,
          injected.reduce((a, b) => add(a, b)),
          into,
        ),
      );
      return this.blocks(level, x, into);
    });
  }

  private blocks(level: Level, input: Tensor, into?: Tensor): Tensor {
    let x = input;
    for (let i = 0; i < this.config[`${level}_layers`]; i++)
      x = this.block(x, `${level}_level.layers.${i}`, into);
    return x;
  }

  /**
   * Post-norm: x ← rms(x + attention(x)); x ← rms(x + swiglu(x)). Frees x unless the tape needs it. `into` takes the result
   * and may be x's memory, which is not needed any more by then.
   */
  private block(x: Tensor, layer: string, into?: Tensor): Tensor {
    const { num_heads, rms_norm_eps } = this.config;
    return this.device.scope(() => {
      const qkv = this.linear(x, `${layer}.self_attn.qkv_proj.weight`);
      const rotated = this.tables ? rope(qkv, this.tables, num_heads) : qkv;
      if (rotated !== qkv) qkv.dispose();
      const attended = attention(rotated, num_heads);
      rotated.dispose();
      const mixed = this.linear(attended, `${layer}.self_attn.o_proj.weight`);
      attended.dispose();
      const middle = residualRmsNorm(x, mixed, rms_norm_eps);
      mixed.dispose();
      x.dispose();
      const gateUp = this.linear(middle, `${layer}.mlp.gate_up_proj.weight`);
      const gated = swiglu(gateUp);
      gateUp.dispose();
      const down = this.linear(gated, `${layer}.mlp.down_proj.weight`);
      gated.dispose();
      return residualRmsNorm(middle, down, rms_norm_eps, into);
    });
  }

  private linear(x: Tensor, name: string): Tensor {
    const weight = this.weight(name);
    return linear(x, weight, this.transposed.get(weight));
  }
}
