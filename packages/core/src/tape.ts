import type { Tensor } from './tensor.ts';

/** What an op left on the tape for its gradient rule. */
export interface Recorded {
  /** Whether each input wants a gradient. */
  needs: readonly boolean[];
  /** The tensors that the op asked to keep, in its order. */
  saved: readonly Tensor[];
  /** Numbers that the op gave by name. */
  attributes: Readonly<Record<string, number>>;
}

/**
 * The gradient rule of an op: from the gradient of its output to those of its inputs, in order. Inputs that want none may
 * be left undefined.
 */
export type GradientRule = (gradient: Tensor, recorded: Recorded) => (Tensor | undefined)[];

/**
 * What differentiating takes besides the record. It is handed to `backward`, not to the ops, so that who only computes
 * carries neither rules nor their kernels.
 */
export interface Gradients {
  /** Adds two gradients of equal shape into a new tensor. */
  add(a: Tensor, b: Tensor): Tensor;
  /** By the names that ops record themselves under. */
  rules: Readonly<Record<string, GradientRule>>;
}

/** An op on the record, by the numbers of its tensors. */
export interface Node extends Recorded {
  op: string;
  output: number;
  inputs: readonly number[];
}

/**
 * The record of reverse-mode differentiation. Ops that touch a parameter, or anything computed from one, are recorded with
 * what their rule needs; {@link backward} walks the record from the end and frees it. Nothing else is kept: what is
 * computed under `noGrad`, or from detached tensors alone, leaves no trace here.
 */
export class Tape {
  private nodes: Node[] = [];
  private readonly tracked = new Set<number>();
  private readonly parameters = new Map<number, Tensor>();
  private disabled = 0;

  /** The number of recorded ops. */
  get length(): number {
    return this.nodes.length;
  }

  /** Runs `body` without recording. */
  noGrad<T>(body: () => T): T {
    this.disabled += 1;
    try {
      return body();
    } finally {
      this.disabled -= 1;
    }
  }

  /** Whether gradients flow to this tensor. */
  tracks(tensor: Tensor): boolean {
    return tensor.requiresGrad || this.tracked.has(tensor.id);
  }

  /**
   * Records that op `op` computed `output` from `inputs`; does nothing when no input is tracked. The tensors in
   * `saved` stay alive until `backward` (or `clear`) has passed.
   */
  record(
    op: string,
    inputs: readonly Tensor[],
    output: Tensor,
    saved: readonly Tensor[],
    attributes: Readonly<Record<string, number>> = {},
  ): void {
    const needs = inputs.map((input) => this.tracks(input));
    if (this.disabled > 0 || !needs.includes(true)) return;
    for (const input of inputs) if (input.requiresGrad) this.parameters.set(input.id, input);
    this.tracked.add(output.id);
    this.nodes.push({
      op,
      output: output.id,
      inputs: inputs.map((input) => input.id),
      needs,
      saved: saved.map((tensor) => tensor.retain()),
      attributes,
    });
  }

  /** @internal Takes the last op off the record; its tensors are the caller's to release. */
  pop(): Node | undefined {
    return this.nodes.pop();
  }

  /** @internal The parameter of that number, if it is one. */
  parameter(id: number): Tensor | undefined {
    return this.parameters.get(id);
  }

  /** Drops the record and what it keeps alive. */
  clear(): void {
    for (const node of this.nodes) for (const tensor of node.saved) tensor.release();
    this.nodes = [];
    this.tracked.clear();
    this.parameters.clear();
  }
}
