/** Gradients of an op against differences of what it computes: PyTorch's gradcheck, on a GPU that has f32 alone. */
import { backward, type Device, Philox, Tensor, UserError } from '@hrm-webgpu/core';
import { place } from '../checks/compare.ts';
import { gradientRules } from '../gradients/gradient-rules.ts';

export interface GradientCheckOptions {
  /** By default those of this package; an op of your own brings its own besides. */
  rules?: typeof gradientRules;
  /**
   * What a gradient may be off, relative to the largest of its input. The default is ten times what the differences of a
   * smooth f32 op err (see `STEP`), and finds a factor of 1.001.
   */
  tolerance?: number;
  /** How many elements of each input are tried, drawn at random where there are more. Each costs eight runs. Default 64. */
  samples?: number;
  /** Steps of the differences, relative to the root mean square of an input. Default 2⁻⁵. */
  step?: number;
  /** Which elements are drawn, and with which weights the output is summed. Default 0. */
  seed?: number;
}

/** What came of an input. */
export interface GradientCheckResult {
  /** Its place among the inputs. */
  input: number;
  /** Elements that were compared. */
  checked: number;
  /** Elements at which the differences do not agree with each other: near a kink, or where the op is too rough. */
  undecided: number;
  /** The largest error, as a share of what is allowed. */
  margin: number;
}

/**
 * Differences of the fourth order, over twice and four times the step: with steps of 1/32 of the size of the input their
 * truncation is some 1e-7 of the fifth derivative, and the roundoff of f32, 2⁻²⁴, becomes some 1e-5 of the result.
 */
const STEP = 2 ** -5;
const TOLERANCE = 5e-4;
const SAMPLES = 64;

/**
 * Compares the gradients that `backward` finds of an op with differences of its results, for every f32 input; others (labels)
 * are handed on. Of L = Σ w·op(inputs), with random w.
 *
 * @param op must compute the same from the same, and nothing but its result; the inputs that it gets are copies
 * @returns what was compared, input by input
 * @throws UserError naming the input and element that is furthest off, an input without a gradient or where nothing could be
 *   decided, or an op that does not give an f32 tensor
 */
export async function checkGradients(
  op: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradientCheckOptions = {},
): Promise<GradientCheckResult[]> {
  if (typeof op !== 'function' || !Array.isArray(inputs) || !(inputs[0] instanceof Tensor))
    throw new UserError('checkGradients: expected an op and an array of the tensors that it takes');
  const { device } = inputs[0];
  const copies = device.unscoped(() => inputs.map((input) => copyOf(input)));
  try {
    const check = new GradientCheck(device, op, copies, options);
    return await check.run();
  } finally {
    for (const copy of copies) copy.dispose();
  }
}

/** A tensor with the same contents, which wants a gradient if it can have one. */
function copyOf(input: Tensor): Tensor {
  const copy = Tensor.empty(input.device, input.shape, input.dtype, input.dtype === 'f32');
  copy.assign(input);
  return copy;
}

/** The gradients of an input by the tape and by differences, element by element. */
interface Compared {
  at: number;
  ours: number;
  numeric: number;
  /** How far two differences are from each other. */
  doubt: number;
}

class GradientCheck {
  private readonly random: Philox;
  private readonly tolerance: number;
  private weights: Float32Array = new Float32Array();

  constructor(
    private readonly device: Device,
    private readonly op: (...inputs: Tensor[]) => Tensor,
    private readonly inputs: readonly Tensor[],
    private readonly options: GradientCheckOptions,
  ) {
    this.random = new Philox(options.seed ?? 0);
    this.tolerance = options.tolerance ?? TOLERANCE;
  }

  async run(): Promise<GradientCheckResult[]> {
    const gradients = await this.gradients();
    const results: GradientCheckResult[] = [];
    for (const [i, input] of this.inputs.entries()) {
      if (input.dtype !== 'f32') continue;
      const ours = gradients.get(input);
      if (!ours) throw new UserError(`checkGradients: input ${i} (${input}) has no gradient`);
      results.push(this.judge(i, await this.compare(input, ours)));
    }
    return results;
  }

  /** By the tape; chooses the weights of the output. */
  private async gradients(): Promise<Map<Tensor, Float32Array>> {
    const { device, options } = this;
    const found = device.scope(() => {
      const of = this.op(...this.inputs);
      if (!(of instanceof Tensor) || of.dtype !== 'f32')
        throw new UserError('checkGradients: the op gave no f32 tensor');
      this.weights = Float32Array.from({ length: of.size }, () => 2 * this.random.uniform() - 1);
      const gradient = Tensor.from(device, this.weights, of.shape);
      const all = backward(device, [{ of, gradient }], options.rules ?? gradientRules);
      return device.unscoped(() => [...all].map(([input, tensor]) => ({ input, own: tensor.detach() })));
    });
    const read = new Map<Tensor, Float32Array>();
    for (const { input, own } of found) {
      read.set(input, await own.readF32());
      own.dispose();
    }
    return read;
  }

  private async compare(input: Tensor, ours: Float32Array): Promise<Compared[]> {
    const data = await input.readF32();
    const { samples = SAMPLES, step = STEP } = this.options;
    const size = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length) || 1;
    const all = Int32Array.from(data.keys());
    const places = all.length <= samples ? all : this.random.shuffle(all).slice(0, samples).sort();
    const compared: Compared[] = [];
    for (const at of places) {
      const [coarse, fine] = [
        await this.difference(input, data, at, step * size),
        await this.difference(input, data, at, (step * size) / 2),
      ];
      compared.push({ at, ours: ours[at], numeric: fine, doubt: Math.abs(coarse - fine) });
    }
    input.write(data);
    return compared;
  }

  /** The derivative of L for an element, by the central difference of the fourth order. */
  private async difference(input: Tensor, data: Float32Array, at: number, step: number): Promise<number> {
    const outputs: Float32Array[] = [];
    for (const steps of [-2, -1, 1, 2]) {
      input.write(data.map((value, i) => (i === at ? value + steps * step : value)));
      outputs.push(await this.output());
    }
    const [a, b, c, d] = outputs;
    // Differences first: what does not depend on the element cancels exactly.
    return this.weights.reduce(
      (sum, w, i) => sum + (w * (8 * (c[i] - b[i]) - (d[i] - a[i]))) / (12 * step),
      0,
    );
  }

  private async output(): Promise<Float32Array> {
    const { device } = this;
    const output = device.scope(() => device.tape.noGrad(() => this.op(...this.inputs)));
    try {
      return await output.readF32();
    } finally {
      output.dispose();
    }
  }

  private judge(index: number, all: readonly Compared[]): GradientCheckResult {
    const { tolerance } = this;
    const largest = all.reduce(
      (most, { ours, numeric }) =>
        Math.max(most, Math.abs(numeric), Number.isFinite(ours) ? Math.abs(ours) : 0),
      0,
    );
    const allowed = Math.max(tolerance * largest, 1e-30);
    const sure = all.filter(({ doubt }) => doubt <= allowed);
    const shape = this.inputs[index].shape;
    const where = `checkGradients: input ${index} [${shape.join(', ')}]`;
    if (2 * sure.length < all.length) {
      throw new UserError(
        `${where}: at ${all.length - sure.length} of ${all.length} elements two differences disagree by more than is allowed, ` +
          'so that nothing can be said: choose inputs away from kinks, another step or a larger tolerance',
      );
    }
    const error = ({ ours, numeric }: Compared) => {
      const off = Math.abs(ours - numeric);
      return Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    };
    const worst = sure.reduce((a, b) => (error(b) > error(a) ? b : a));
    const wrong = sure.filter((one) => error(one) > allowed).length;
    if (wrong > 0) {
      throw new UserError(
        `${where}: ${wrong} of ${sure.length} gradients wrong; worst at ${place(worst.at, shape)}: is ${worst.ours}, ` +
          `by differences ${worst.numeric.toPrecision(6)} (${(error(worst) / allowed).toPrecision(3)} × what is allowed)`,
      );
    }
    return {
      input: index,
      checked: sure.length,
      undecided: all.length - sure.length,
      margin: error(worst) / allowed,
    };
  }
}
