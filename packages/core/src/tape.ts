import type { Device } from './device.ts';
import type { Tensor } from './tensor.ts';

/**
 * The gradient rule of one recorded op: from the gradient of its output to those of its inputs, in order.
 * `needs[i]` says whether input i wants one; others may be left undefined.
 */
export type GradientRule = (gradient: Tensor, needs: readonly boolean[]) => (Tensor | undefined)[];

/** Adds two gradients of equal shape into a new tensor: the one kernel that the tape needs. */
export type AddGradients = (a: Tensor, b: Tensor) => Tensor;

interface Node {
  name: string;
  output: number;
  inputs: readonly number[];
  needs: readonly boolean[];
  saved: readonly Tensor[];
  rule: GradientRule;
}

/** A tensor to differentiate and the gradient to start from, of the same shape. */
export interface Root {
  of: Tensor;
  gradient: Tensor;
}

/**
 * Reverse-mode differentiation. Ops that touch a parameter, or anything computed from one, are recorded with
 * what their rule needs; `backward` walks the record from the end and frees it. Nothing else is kept: what is
 * computed under `noGrad`, or from detached tensors alone, leaves no trace here.
 */
export class Tape {
  private nodes: Node[] = [];
  private readonly tracked = new Set<number>();
  private readonly parameters = new Map<number, Tensor>();
  private disabled = 0;

  constructor(private readonly device: Device) {}

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
   * Records that `output` was computed from `inputs`; does nothing when no input is tracked. The tensors in
   * `saved` stay alive until `backward` (or `clear`) has passed.
   */
  record(
    name: string,
    inputs: readonly Tensor[],
    output: Tensor,
    saved: readonly Tensor[],
    rule: GradientRule,
  ): void {
    const needs = inputs.map((input) => this.tracks(input));
    if (this.disabled > 0 || !needs.includes(true)) return;
    for (const input of inputs) if (input.requiresGrad) this.parameters.set(input.id, input);
    this.tracked.add(output.id);
    this.nodes.push({
      name,
      output: output.id,
      inputs: inputs.map((input) => input.id),
      needs,
      saved: saved.map((tensor) => tensor.retain()),
      rule,
    });
  }

  /**
   * Gradients of all parameters that the roots depend on, summed over the roots. The caller owns them. The tape
   * is empty afterwards.
   */
  backward(roots: readonly Root[], add: AddGradients): Map<Tensor, Tensor> {
    const gradients = new Map<number, Tensor>();
    const accumulate = (id: number, gradient: Tensor) => {
      const present = gradients.get(id);
      gradients.set(id, present ? add(present, gradient) : gradient);
      if (!present) return;
      present.dispose();
      gradient.dispose();
    };
    try {
      for (const { of, gradient } of roots) accumulate(of.id, gradient.detach());
      this.noGrad(() => {
        for (let node = this.nodes.pop(); node; node = this.nodes.pop()) {
          this.differentiate(node, gradients, accumulate);
        }
      });
      return this.collect(gradients);
    } catch (error) {
      for (const gradient of gradients.values()) gradient.dispose();
      throw error;
    } finally {
      this.clear();
    }
  }

  /** Drops the record and what it keeps alive. */
  clear(): void {
    for (const node of this.nodes) for (const tensor of node.saved) tensor.release();
    this.nodes = [];
    this.tracked.clear();
    this.parameters.clear();
  }

  private collect(gradients: Map<number, Tensor>): Map<Tensor, Tensor> {
    const result = new Map<Tensor, Tensor>();
    for (const [id, gradient] of gradients) {
      const parameter = this.parameters.get(id);
      if (parameter) result.set(parameter, gradient);
      else gradient.dispose(); // a root that no parameter leads to
    }
    return result;
  }

  /** Passes the gradient of a node's output on to its inputs and frees what the node kept. */
  private differentiate(
    { output, inputs, needs, saved, rule }: Node,
    gradients: Map<number, Tensor>,
    accumulate: (id: number, gradient: Tensor) => void,
  ): void {
    try {
      const gradient = gradients.get(output);
      if (!gradient) return;
      const results = this.device.scope(() => rule(gradient, needs));
      results.forEach((result, i) => {
        if (result && needs[i]) accumulate(inputs[i], result);
        else result?.dispose();
      });
      gradients.delete(output);
      gradient.dispose();
    } finally {
      for (const tensor of saved) tensor.release();
    }
  }
}
