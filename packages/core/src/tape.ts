import type { Device } from './device.ts';
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

interface Node extends Recorded {
  op: string;
  output: number;
  inputs: readonly number[];
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

  /**
   * Gradients of all parameters that the roots depend on, summed over the roots. The caller owns them. The tape
   * is empty afterwards.
   *
   * @throws Error when there is no rule for an op on the way
   */
  backward(roots: readonly Root[], { add, rules }: Gradients): Map<Tensor, Tensor> {
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
          this.differentiate(node, rules, gradients, accumulate);
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
    { op, output, inputs, ...recorded }: Node,
    rules: Gradients['rules'],
    gradients: Map<number, Tensor>,
    accumulate: (id: number, gradient: Tensor) => void,
  ): void {
    try {
      const gradient = gradients.get(output);
      if (!gradient) return;
      const rule = rules[op];
      if (!rule) throw new Error(`there is no gradient rule for '${op}'`);
      const results = this.device.scope(() => rule(gradient, recorded));
      results.forEach((result, i) => {
        if (result && recorded.needs[i]) accumulate(inputs[i], result);
        else result?.dispose();
      });
      gradients.delete(output);
      gradient.dispose();
    } finally {
      for (const tensor of recorded.saved) tensor.release();
    }
  }
}
