/** The gradients of the ops that a kernel is part of, against differences of what these ops compute: all of it on the device. */
import { backward, type Device, Philox, type Shape, sizeOf, Tensor, UserError } from '@hrm-webgpu/core';
import * as kernels from '@hrm-webgpu/kernels';
import { checkGradients, checks } from '@hrm-webgpu/kernels/checks';
import { type Interceptor, interceptOperations, tuningKey } from '@hrm-webgpu/kernels/operation';

export interface GradientsRequest {
  kernel: string;
  text: string;
}

export interface GradientsReply {
  /** The ops that the kernel is part of, whose gradients have been compared. */
  ops: string[];
  /** The largest error as a share of what is allowed. */
  margin: number;
  /** What is wrong, and with which op: of a kernel of the backward pass alone. */
  problem?: string;
  /** The same of one of the forward pass: it may be right, and the kernel of its gradient not edited yet. */
  remark?: string;
}

/** An op and what it is tried on. */
interface OpCase {
  op: (...inputs: Tensor[]) => Tensor;
  inputs: Tensor[];
}

/** Makes tensors of random numbers, and frees them all. */
class Inputs {
  private readonly random = new Philox(1);
  private readonly made: Tensor[] = [];

  constructor(readonly device: Device) {}

  /** Uniform in [−extent, extent). */
  uniform(shape: Shape, extent = 1): Tensor {
    const numbers = () => extent * (2 * this.random.uniform() - 1);
    return this.keep(Tensor.from(this.device, Float32Array.from({ length: sizeOf(shape) }, numbers), shape));
  }

  /** Whole numbers from 0 up to below `below`. */
  whole(shape: Shape, below: number): Tensor {
    const numbers = () => this.random.below(below);
    return this.keep(Tensor.from(this.device, Int32Array.from({ length: sizeOf(shape) }, numbers), shape));
  }

  keep(tensor: Tensor): Tensor {
    this.made.push(tensor);
    return tensor;
  }

  dispose(): void {
    for (const tensor of this.made) tensor.dispose();
  }
}

/** An op on uniform inputs. */
const on =
  (op: OpCase['op'], ...shapes: Shape[]) =>
  (make: Inputs): OpCase => ({ op, inputs: shapes.map((shape) => make.uniform(shape)) });

/** The ops of the package, each with inputs of several rows and no round numbers. */
const OPS: Readonly<Record<string, (make: Inputs) => OpCase>> = {
  add: on(kernels.add, [3, 7], [3, 7]),
  addBias: on(kernels.addBias, [3, 5, 7], [7]),
  attention: (make) => ({ op: (qkv) => kernels.attention(qkv, 3), inputs: [make.uniform([2, 5, 54], 2)] }),
  bceWithLogits: (make) => {
    const targets = make.uniform([5, 7]);
    return { op: (x) => kernels.bceWithLogits(x, targets), inputs: [make.uniform([5, 7], 3)] };
  },
  cat: on((a, b) => kernels.cat([a, b, a]), [2, 3], [1, 3]),
  crossEntropy: (make) => {
    const labels = make.whole([5], 4);
    return { op: (logits) => kernels.crossEntropy(logits, labels), inputs: [make.uniform([5, 4], 3)] };
  },
  crossEntropyRows: (make) => {
    const labels = make.whole([3, 7], 5);
    const op = (logits: Tensor) => kernels.crossEntropyRows(logits, labels, 'stablemax_cross_entropy').loss;
    return { op, inputs: [make.uniform([3, 9, 5], 3)] };
  },
  inputEmbedding: (make) => {
    const inputs = make.whole([3, 5], 4);
    return { op: (tokens) => kernels.inputEmbedding({ inputs, tokens }), inputs: [make.uniform([4, 6])] };
  },
  linear: on((x, weight) => kernels.linear(x, weight), [5, 7, 13], [11, 13]),
  mean: on(kernels.mean, [3, 5]),
  qHead: on(kernels.qHead, [5, 3, 7], [2, 7], [2]),
  relu: on(kernels.relu, [5, 9]),
  residualRmsNorm: on((x, r) => kernels.residualRmsNorm(x, r, 1e-5), [5, 14], [5, 14]),
  rope: (make) => {
    const tables = kernels.makeRopeTables(make.device, 5, 6, 10_000);
    for (const table of Object.values(tables)) make.keep(table);
    return { op: (qkv) => kernels.rope(qkv, tables, 3), inputs: [make.uniform([2, 5, 54])] };
  },
  rowMean: on(kernels.rowMean, [2, 3, 5]),
  slice: on((x) => kernels.slice(x, 1, 4), [5, 3, 2]),
  softmax: on(kernels.softmax, [3, 2, 11]),
  swiglu: on(kernels.swiglu, [3, 5, 14]),
};

/** Compares the gradients of every op that launches a kernel, forward or backward, with another text of it. */
export async function gradientsOf(
  device: Device,
  { kernel, text }: GradientsRequest,
  signal: AbortSignal,
): Promise<GradientsReply> {
  const reply: GradientsReply = { ops: [], margin: 0 };
  const before = device.shaders;
  device.shaders = new Map([[kernel, text]]);
  try {
    for (const [name, make] of Object.entries({ ...opNamedLike(kernel), ...OPS })) {
      signal.throwIfAborted();
      const made = new Inputs(device);
      const { op, inputs } = make(made);
      let inForward = false;
      try {
        const launched = launches(device, kernel, op, inputs);
        inForward = launched.forward.has(kernel);
        if (!inForward && !launched.backward.has(kernel)) continue;
        reply.ops.push(name);
        const results = await checkGradients(op, inputs);
        reply.margin = Math.max(reply.margin, ...results.map(({ margin }) => margin));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const problem = `the gradient of ${name}: ${error.message}`;
        return { ...reply, ...(inForward ? { remark: problem } : { problem }) };
      } finally {
        made.dispose();
      }
    }
  } finally {
    device.shaders = before;
    device.tuning.clear(); // the process tunes nothing else
  }
  return reply;
}

/**
 * The op of a kernel that is not among {@link OPS}, such as `lab new --differentiable` makes: called like it, on the inputs of its
 * check.
 */
function opNamedLike(kernel: string): Record<string, (make: Inputs) => OpCase> {
  const base = kernel.replace(/_backward$/, '');
  const name = base.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const op = (kernels as unknown as Record<string, OpCase['op'] | undefined>)[name];
  if (typeof op !== 'function' || !Object.hasOwn(checks, `${base}_backward`)) return {};
  const { cases, inputs } = checks[base];
  const make = (made: Inputs) => {
    const arrays = inputs(cases[Math.min(1, cases.length - 1)], new Philox(1));
    return { op, inputs: Object.values(arrays).map((data) => made.keep(Tensor.from(made.device, data))) };
  };
  return { [name]: make };
}

/**
 * The kernels that an op launches, and those of its gradient. Operations that have this kernel among others do with it, from then
 * on.
 */
function launches(device: Device, kernel: string, op: OpCase['op'], inputs: readonly Tensor[]) {
  const withKernel: Interceptor = (call, perform) => {
    const { operation, params } = call;
    if (operation.kernels.some(({ name }) => name === kernel))
      device.tuning.set(tuningKey(operation.name, params), { kernel, settings: {} });
    perform(call);
  };
  const namesIn = <T>(body: () => T): { names: Set<string>; result: T } => {
    let result: T | undefined;
    const launched = kernels.observeLaunches(device, () => {
      result = interceptOperations(device, withKernel, body);
    });
    return { names: new Set(launched.map(({ kernel }) => kernel.name)), result: result as T };
  };
  return device.scope(() => {
    const leaves = inputs.map((input) => {
      const leaf = Tensor.empty(device, input.shape, input.dtype, true);
      leaf.assign(input);
      return leaf;
    });
    const { names: forward, result } = namesIn(() => op(...leaves));
    const gradient = Tensor.from(device, new Float32Array(result.size).fill(1), result.shape);
    const roots = [{ of: result, gradient }];
    const found = namesIn(() => backward(device, roots, kernels.gradientRules));
    for (const tensor of found.result.values()) tensor.dispose();
    return { forward, backward: found.names };
  });
}
