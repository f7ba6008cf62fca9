import { type Device, Tensor, UserError } from '@hrm-webgpu/core';
import { makeRopeTables, type RopeTables, transpose } from '@hrm-webgpu/kernels';
import { type ModelConfig, puzzlePositions } from './config.ts';
import { checkPositions } from './config-checks.ts';
import { BUFFER_NAMES, isLinear, PUZZLE_ROWS, parameterShapes } from './parameters.ts';
import { emptyShards, type PuzzleShard, writeShards } from './puzzle-shards.ts';

export interface ModelOptions {
  /** The most bytes that a shard of the puzzle rows may have; default what a binding of the adapter holds. */
  shardBytes?: number;
}

/** Gives a weight by published name, whole or in pieces. */
export type WeightSource = (
  name: string,
  shape: readonly number[],
) => Float32Array | AsyncIterable<Float32Array>;

/**
 * The weights of a model on one device, by their published names; puzzle rows that lie in several shards by that name and the
 * shard's number.
 */
export class ModelWeights {
  readonly weights = new Map<string, Tensor>();
  /** P, the positions in front of the tokens. */
  readonly prefix: number;
  /** The table of puzzle rows; empty for a model without. */
  readonly puzzleShards: PuzzleShard[] = [];
  /** Wᵀ of the weights of linear layers, which the kernels read; see {@link weightsChanged}. */
  protected readonly transposed = new Map<Tensor, Tensor>();
  protected readonly tables: RopeTables | undefined;
  /** Stands for the puzzle rows of a batch on the tape; see `inputEmbedding`. */
  private localRows: Tensor | undefined;
  /** Weights that are another model's. */
  private readonly shared = new Set<Tensor>();

  protected constructor(
    readonly device: Device,
    readonly config: ModelConfig,
  ) {
    checkPositions(config);
    this.prefix = puzzlePositions(config);
    if (config.pos_encodings === 'rope') {
      const headDim = config.hidden_size / config.num_heads;
      this.tables = makeRopeTables(device, this.prefix + config.seq_len, headDim, config.rope_theta);
    }
  }

  /** Makes all weights; each is asked for once, in order. */
  protected async fill(weight: WeightSource, { shardBytes }: ModelOptions): Promise<void> {
    const { device, config } = this;
    for (const [name, shape] of parameterShapes(config)) {
      if (name === PUZZLE_ROWS) {
        this.placeShards(emptyShards(device, config, shardBytes));
        await writeShards(this.puzzleShards, weight(name, shape));
        continue;
      }
      const trained = !BUFFER_NAMES.includes(name);
      // The tensor first: what is too large for the adapter is refused before the host makes room for it.
      const tensor = Tensor.empty(device, shape, 'f32', trained);
      this.weights.set(name, tensor);
      const data = weight(name, shape);
      if (data instanceof Float32Array) tensor.write(data);
      else await tensor.writePieces(data);
      if (isLinear(name)) this.transposed.set(tensor, transpose(tensor));
      await device.stream.ready();
    }
  }

  /** Makes trained weights, which are to be written, and takes all else from another model. */
  protected share(other: ModelWeights): void {
    for (const [name, tensor] of other.weights) {
      if (!tensor.requiresGrad) {
        this.weights.set(name, tensor);
        this.shared.add(tensor);
        continue;
      }
      const own = Tensor.empty(this.device, tensor.shape, 'f32', true);
      this.weights.set(name, own);
      if (isLinear(name)) this.transposed.set(own, transpose(own));
    }
    this.puzzleShards.push(...other.puzzleShards);
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

  dispose(): void {
    for (const tensor of this.weights.values()) if (!this.shared.has(tensor)) tensor.dispose();
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
}
