/** The way back through the record. Apart from the tape, so that who only computes does not carry it. */
import type { Device } from './device.ts';
import { UserError } from './errors.ts';
import type { Gradients, Node } from './tape.ts';
import { expectTensor, Tensor } from './tensor.ts';

/** A tensor to differentiate and the gradient to start from, of the same shape. */
export interface Root {
  of: Tensor;
  /** May be left out where `of` has a single element, as losses do: then it is 1. */
  gradient?: Tensor;
}

/**
 * Gradients of all parameters that the roots depend on, summed over the roots. The caller owns them. The device's tape is
 * empty afterwards.
 *
 * @throws Error when there is no rule for an op on the way
 * @throws UserError when no root depends on a parameter, or one of several elements has no gradient to start from
 */
export function backward(
  device: Device,
  roots: readonly Root[],
  { add, rules }: Gradients = {} as Gradients,
): Map<Tensor, Tensor> {
  if (!Array.isArray(roots) || !rules)
    throw new UserError('backward: expected an array of { of: tensor, gradient? }, and { add, rules }');
  const { tape } = device;
  const gradients = new Map<number, Tensor>();
  const accumulate = (id: number, gradient: Tensor) => {
    const present = gradients.get(id);
    gradients.set(id, present ? add(present, gradient) : gradient);
    if (!present) return;
    present.dispose();
    gradient.dispose();
  };
  try {
    for (const root of roots) accumulate(root?.of?.id, startOf(root));
    tape.noGrad(() => {
      for (let node = tape.pop(); node; node = tape.pop())
        differentiate(device, node, rules, gradients, accumulate);
    });
    const result = new Map<Tensor, Tensor>();
    for (const [id, gradient] of gradients) {
      const parameter = tape.parameter(id);
      if (parameter) result.set(parameter, gradient);
      else gradient.dispose(); // a root that no parameter leads to
    }
    if (!result.size)
      throw new UserError(
        'backward: no root was computed from a tensor that requiresGrad, outside of noGrad and since the last backward',
      );
    return result;
  } catch (error) {
    for (const gradient of gradients.values()) gradient.dispose();
    throw error;
  } finally {
    tape.clear();
  }
}

/** A root's gradient to start from, a tensor of its own. */
function startOf({ of, gradient }: Partial<Root> = {}): Tensor {
  expectTensor('backward', '`of` of a root', of);
  if (gradient === undefined && of.size === 1) return Tensor.from(of.device, Float32Array.of(1), of.shape);
  if (gradient?.shape?.join() === of.shape.join()) return gradient.detach();
  throw new UserError(
    `backward: ${of} has ${gradient ?? 'no gradient'} to start from: give one of its shape, { of, gradient }`,
  );
}

/** Passes the gradient of a node's output on to its inputs and frees what the node kept. */
function differentiate(
  device: Device,
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
    const results = device.scope(() => rule(gradient, recorded));
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
