import { type Device, Tensor, UserError } from '@hrm-webgpu/core';
import {
  add,
  attention,
  inputEmbedding,
  linear,
  makeRopeTables,
  qHead,
  type RopeTables,
  residualRmsNorm,
  rope,
  swiglu,
  transpose,
} from '@hrm-webgpu/kernels';
import { type ModelConfig, puzzlePositions } from './config.ts';
import { BUFFER_NAMES, isLinear, PUZZLE_ROWS, parameterShapes } from './parameters.ts';
import { emptyShards, gatherPuzzleRows, type PuzzleShard, writeShards } from './puzzle-shards.ts';

export interface ModelOptions {
  /** The most bytes that a shard of the puzzle rows may have; default what a binding of the adapter holds. */
  shardBytes?: number;
}

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

/**
 * The Hierarchical Reasoning Model (arXiv 2506.21734): its weights on one device and one segment of its computation.
 * Weights go by their published names; puzzle rows that lie in several shards by that name and the shard's number.
 */
export class HrmModel {
  readonly weights = new Map<string, Tensor>();
  /** P, the positions in front of the tokens. */
  readonly prefix: number;
  /** Stands for the puzzle rows of a batch on the tape; see {@link inputEmbedding}. */
  private localRows: Tensor | undefined;
  /** Wᵀ of the weights of linear layers, which the kernels read; see {@link weightsChanged}. */
  private readonly transposed = new Map<Tensor, Tensor>();
  private readonly tables: RopeTables | undefined;
  /** The table of puzzle rows; empty for a model without. */
  readonly puzzleShards: PuzzleShard[] = [];

  private constructor(
    readonly device: Device,
    readonly config: ModelConfig,
  ) {
    this.prefix = puzzlePositions(config);
    if (config.pos_encodings === 'rope') {
      const headDim = config.hidden_size / config.num_heads;
      this.tables = makeRopeTables(device, this.prefix + config.seq_len, headDim, config.rope_theta);
    }
  }

  /** A model with the given weights, by published name, whole or in pieces; each is asked for once, in order. */
  static async load(
    device: Device,
    config: ModelConfig,
    weight: (name: string, shape: readonly number[]) => Float32Array | AsyncIterable<Float32Array>,
    { shardBytes }: ModelOptions = {},
  ): Promise<HrmModel> {
    const model = new HrmModel(device, config);
    try {
      for (const [name, shape] of parameterShapes(config)) {
        if (name === PUZZLE_ROWS) {
          model.placeShards(emptyShards(device, config, shardBytes));
          await writeShards(model.puzzleShards, weight(name, shape));
          continue;
        }
        const trained = !BUFFER_NAMES.includes(name);
        // The tensor first: what is too large for the adapter is refused before the host makes room for it.
        const tensor = Tensor.empty(device, shape, 'f32', trained);
        model.weights.set(name, tensor);
        const data = weight(name, shape);
        if (data instanceof Float32Array) tensor.write(data);
        else await tensor.writePieces(data);
        if (isLinear(name)) model.transposed.set(tensor, transpose(tensor));
        await device.stream.ready();
      }
    } catch (error) {
      model.dispose();
      throw error;
    }
    return model;
  }

  /** T, the positions of a sequence: P + seq_len. */
  get positions(): number {
    return this.prefix + this.config.seq_len;
  }

  /** All weights as checkpoints hold them, by published name: the tensors that make each along its first extent. */
  get stored(): Map<string, readonly Tensor[]> {
    const shards = this.puzzleShards.map(({ rows }) => rows);
    return new Map(
      [...parameterShapes(this.config).keys()].map((name) => [
        name,
        name === PUZZLE_ROWS ? shards : [this.weight(name)],
      ]),
    );
  }

  /** A weight by published name. */
  weight(name: string): Tensor {
    const tensor = this.weights.get(name);
    if (!tensor) throw new UserError(`the model has no tensor '${name}'`);
    return tensor;
  }

  /** The tensors that Adam-atan2 trains, by name. */
  get trained(): [string, Tensor][] {
    return [...this.weights].filter(([, tensor]) => tensor.requiresGrad);
  }

  /** To be called when weights have been changed: makes what is derived from them again. */
  weightsChanged(): void {
    for (const [weight, transposed] of this.transposed) transpose(weight, transposed);
  }

  /** The tensor whose gradient is that of the puzzle rows of a batch of this size, [batch, puzzle_emb_ndim]. */
  localPuzzleRows(batch: number): Tensor | undefined {
    if (this.config.puzzle_emb_ndim === 0) return undefined;
    if (this.localRows?.shape[0] !== batch) {
      this.localRows?.dispose();
      const shape = [batch, this.config.puzzle_emb_ndim];
      this.localRows = this.device.unscoped(() => Tensor.empty(this.device, shape, 'f32', true));
    }
    return this.localRows;
  }

  /**
   * One segment: all steps but the last of each module without gradient, then one L step and one H step that are
   * recorded on the tape, from the detached states (the one-step gradient).
   *
   * @param working memory that the warm states are written to, which may be that of `state`: more cycles then need no more
   *   memory than one
   */
  segment(state: State, input: ModelInput, working: State, observe?: StepObserver): SegmentOutput {
    const { device } = this;
    return device.scope(() => {
      const e = this.embed(input);
      const warm = device.tape.noGrad(() => this.warmUp(state, e, working, observe));
      const z_L = this.level('L', warm.z_L, [warm.z_H, e]);
      observe?.('L', { z_H: warm.z_H, z_L });
      const z_H = this.level('H', warm.z_H, [z_L]);
      observe?.('H', { z_H, z_L });
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

  dispose(): void {
    for (const tensor of this.weights.values()) tensor.dispose();
    for (const tensor of this.transposed.values()) tensor.dispose();
    this.localRows?.dispose();
    this.tables?.cosines.dispose();
    this.tables?.sines.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private placeShards(shards: readonly PuzzleShard[]): void {
    this.puzzleShards.push(...shards);
    shards.forEach(({ rows }, i) => {
      this.weights.set(shards.length === 1 ? PUZZLE_ROWS : `${PUZZLE_ROWS}/${i}`, rows);
    });
  }

  /** H_cycles × L_cycles steps but the last of each module. */
  private warmUp(state: State, e: Tensor, working: State, observe?: StepObserver): State {
    const { H_cycles, L_cycles } = this.config;
    let z_H = state.z_H.detach();
    let z_L = state.z_L.detach();
    for (let h = 1; h <= H_cycles; h++) {
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
      let x = this.device.scope(() =>
        add(
          state,
          injected.reduce((a, b) => add(a, b)),
          into,
        ),
      );
      for (let i = 0; i < this.config[`${level}_layers`]; i++)
        x = this.block(x, `${level}_level.layers.${i}`, into);
      return x;
    });
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
