/**
 * HRM's training loss in float64, written from the specification on plain arrays: what the engine's gradients are
 * differentiated against. Slow and short.
 */
import { type ModelConfig, puzzlePositions, swigluWidth } from '../packages/hrm/src/model/config.ts';
import { attentionReference } from '../packages/kernels/src/defs/attention.ts';
import { bceReference } from '../packages/kernels/src/defs/bce_logits.ts';
import { IGNORED_LABEL, tokenLossReference } from '../packages/kernels/src/defs/cross_entropy.ts';
import { inputEmbeddingReference } from '../packages/kernels/src/defs/input_embedding.ts';
import { qHeadReference } from '../packages/kernels/src/defs/q_head.ts';
import { ropeReference } from '../packages/kernels/src/defs/rope.ts';
import { swigluReference } from '../packages/kernels/src/defs/swiglu.ts';

/** By published name; {@link LOCAL_ROWS} instead of the table of puzzle rows. */
export type Weights = Map<string, Float64Array>;

/** The puzzle rows of the batch [batch, puzzle_emb_ndim], each row on its own although puzzles may repeat. */
export const LOCAL_ROWS = 'local puzzle rows';

export interface Data {
  /** [batch, seq_len] */
  inputs: Int32Array;
  labels: Int32Array;
}

export interface State {
  z_H: Float64Array;
  z_L: Float64Array;
}

export interface Output extends State {
  /** [batch, T, vocab], the first P positions without meaning */
  logits: Float64Array;
  /** [batch, 2] */
  q: Float64Array;
}

/** One model on one batch. Weights are looked up at every call, so that they may be varied between calls. */
export class ReferenceHrm {
  private readonly prefix: number;
  private readonly positions: number;
  private readonly tables: { cosines: Float64Array; sines: Float64Array };

  constructor(
    private readonly config: ModelConfig,
    private readonly weights: Weights,
    private readonly batch: number,
  ) {
    this.prefix = puzzlePositions(config);
    this.positions = this.prefix + config.seq_len;
    this.tables = ropeTables(this.positions, config.hidden_size / config.num_heads, config.rope_theta);
  }

  /** The state of rows that start anew: `H_init` and `L_init` at every position. */
  initialState(): State {
    const { hidden_size } = this.config;
    const broadcast = (row: Float64Array) =>
      Float64Array.from(
        { length: this.batch * this.positions * hidden_size },
        (_, i) => row[i % hidden_size],
      );
    return { z_H: broadcast(this.weight('H_init')), z_L: broadcast(this.weight('L_init')) };
  }

  /** All steps of a segment but the last of each module: those without gradient. */
  warmUp(state: State, data: Data): State {
    const { H_cycles, L_cycles, gradient_cycles } = this.config;
    const e = this.embed(data);
    let { z_H, z_L } = state;
    const steps = gradient_cycles === 0 ? H_cycles * L_cycles - 1 : (H_cycles - gradient_cycles) * L_cycles;
    for (let step = 1; step <= steps; step++) {
      z_L = this.level('L', z_L, sum(z_H, e));
      if (step % L_cycles === 0) z_H = this.level('H', z_H, z_L);
    }
    return { z_H, z_L };
  }

  /** What is differentiated: the last step of each module, or the last H cycles, and the heads. */
  lastSteps(warm: State, data: Data): Output {
    const { hidden_size: dim, vocab_size, gradient_cycles, L_cycles, model } = this.config;
    const e = this.embed(data);
    let { z_H, z_L } = warm;
    if (model === 'transformer') {
      z_L = this.blocks('L', e);
      z_H = this.blocks('H', z_L);
    } else {
      for (let h = 0; h < Math.max(1, gradient_cycles); h++) {
        const steps = gradient_cycles === 0 ? 1 : L_cycles;
        for (let l = 0; l < steps; l++) z_L = this.level('L', z_L, sum(z_H, e));
        z_H = this.level('H', z_H, z_L);
      }
    }
    const size = { batch: this.batch, seq_len: this.positions, dim };
    return {
      z_H,
      z_L,
      logits: linear(z_H, this.weight('lm_head.weight'), dim, vocab_size),
      q: qHeadReference(z_H, this.weight('q_head.weight'), this.weight('q_head.bias'), size),
    };
  }

  segment(state: State, data: Data): Output {
    return this.lastSteps(this.warmUp(state, data), data);
  }

  /** What q should be [batch, 2]: whether the row is right, and the value of one segment more (before the last). */
  targets(output: Output, data: Data): Float64Array {
    const next = this.segment(output, data).q;
    return Float64Array.from({ length: 2 * this.batch }, (_, i) => {
      const row = Math.floor(i / 2);
      if (i % 2 === 0) return this.isExact(output, data, row) ? 1 : 0;
      return 1 / (1 + Math.exp(-Math.max(next[2 * row], next[2 * row + 1])));
    });
  }

  /**
   * lm_loss + 0.5·(q_halt_loss + q_continue_loss), summed over the batch; targets [batch, 2] are constants. Without
   * q_continue its loss is left out, without ACT both.
   */
  loss({ logits, q }: Output, { labels }: Data, targets: ArrayLike<number>): number {
    const { seq_len, loss_type, no_continue, model } = this.config;
    let total = 0;
    for (let row = 0; row < this.batch; row++) {
      const rowLabels = labels.subarray(row * seq_len, (row + 1) * seq_len);
      const count = rowLabels.filter((label) => label !== IGNORED_LABEL).length;
      rowLabels.forEach((label, i) => {
        if (label === IGNORED_LABEL) return;
        total += tokenLossReference(this.logitsAt(logits, row, i), label, loss_type) / count;
      });
    }
    if (model === 'transformer') return total;
    const counts = (i: number) => i % 2 === 0 || !no_continue;
    const qLoss = q.reduce((sum, value, i) => sum + (counts(i) ? bceReference(value, targets[i]) : 0), 0);
    return total + 0.5 * qLoss;
  }

  private weight(name: string): Float64Array {
    const array = this.weights.get(name);
    if (!array) throw new Error(`no weight '${name}'`);
    return array;
  }

  private logitsAt(logits: Float64Array, row: number, token: number): Float64Array {
    const { vocab_size } = this.config;
    const first = (row * this.positions + this.prefix + token) * vocab_size;
    return logits.subarray(first, first + vocab_size);
  }

  private isExact({ logits }: Output, { labels }: Data, row: number): boolean {
    const { seq_len } = this.config;
    return labels.subarray(row * seq_len, (row + 1) * seq_len).every((label, i) => {
      const at = this.logitsAt(logits, row, i);
      return label === IGNORED_LABEL || at.indexOf(Math.max(...at)) === label;
    });
  }

  /** √D · (puzzle rows, then tokens); with learned positions √D · 1/√2 · (… + positions). */
  private embed({ inputs }: Data): Float64Array {
    const { hidden_size: dim, seq_len, puzzle_emb_ndim, pos_encodings } = this.config;
    const learned = pos_encodings === 'learned';
    const scale = Math.sqrt(dim) * (learned ? Math.SQRT1_2 : 1);
    return inputEmbeddingReference(
      inputs,
      this.weight('embed_tokens.embedding_weight'),
      puzzle_emb_ndim > 0 ? this.weight(LOCAL_ROWS) : [],
      learned ? this.weight('embed_pos.embedding_weight') : [],
      {
        batch: this.batch,
        inputs_len: seq_len,
        prefix: this.prefix,
        dim,
        puzzle_dim: puzzle_emb_ndim,
        scale,
        position_scale: learned ? scale : 0,
      },
    );
  }

  /** x ← x + injection, then the blocks of a module. */
  private level(level: 'H' | 'L', state: Float64Array, injection: Float64Array): Float64Array {
    return this.blocks(level, sum(state, injection));
  }

  private blocks(level: 'H' | 'L', input: Float64Array): Float64Array {
    let x = input;
    for (let i = 0; i < this.config[`${level}_layers`]; i++) x = this.block(x, `${level}_level.layers.${i}`);
    return x;
  }

  /** x ← rms(x + attention(x)); x ← rms(x + swiglu(x)). */
  private block(x: Float64Array, layer: string): Float64Array {
    const { hidden_size: dim, num_heads: heads, rms_norm_eps: eps } = this.config;
    const [tokens, seq_len, width] = [this.batch * this.positions, this.positions, swigluWidth(this.config)];
    const size = { batch: this.batch, seq_len, heads, head_dim: dim / heads };
    const weight = (name: string) => this.weight(`${layer}.${name}.weight`);

    let qkv = linear(x, weight('self_attn.qkv_proj'), dim, 3 * dim);
    if (this.config.pos_encodings === 'rope') {
      const { cosines, sines } = this.tables;
      qkv = ropeReference(qkv, cosines, sines, { ...size, tokens, sign: 1 });
    }
    const attended = linear(attentionReference(qkv, size).o, weight('self_attn.o_proj'), dim, dim);
    const middle = rmsNorm(sum(x, attended), dim, eps);
    const gateUp = linear(middle, weight('mlp.gate_up_proj'), dim, 2 * width);
    const gated = swigluReference(gateUp, { rows: tokens, width });
    return rmsNorm(sum(middle, linear(gated, weight('mlp.down_proj'), width, dim)), dim, eps);
  }
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}

/** x·Wᵀ for x [rows, inner] and W [out, inner]. */
function linear(x: Float64Array, weight: Float64Array, inner: number, out: number): Float64Array {
  const rows = x.length / inner;
  const y = new Float64Array(rows * out);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < out; o++) {
      let total = 0;
      for (let i = 0; i < inner; i++) total += x[row * inner + i] * weight[o * inner + i];
      y[row * out + o] = total;
    }
  }
  return y;
}

/** Divides each row of `columns` numbers by √(mean square + eps), in place. */
function rmsNorm(x: Float64Array, columns: number, eps: number): Float64Array {
  for (let first = 0; first < x.length; first += columns) {
    const row = x.subarray(first, first + columns);
    const rms = Math.sqrt(row.reduce((total, value) => total + value * value, 0) / columns + eps);
    for (let i = 0; i < columns; i++) row[i] /= rms;
  }
  return x;
}

/** The tables are part of the model: made in f32, operation by operation. */
function ropeTables(positions: number, headDim: number, theta: number) {
  const half = headDim / 2;
  const angles = Float64Array.from({ length: positions * half }, (_, at) => {
    const exponent = Math.fround((2 * (at % half)) / headDim);
    const frequency = Math.fround(1 / Math.fround(theta ** exponent));
    return Math.fround(Math.floor(at / half) * frequency);
  });
  const round = (f: (x: number) => number) => angles.map((angle) => Math.fround(f(angle)));
  return { cosines: round(Math.cos), sines: round(Math.sin) };
}
