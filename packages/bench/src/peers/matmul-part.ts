import type { Device, Tensor } from '@hrm-webgpu/core';
import { linear, linearBackwardInput, linearBackwardWeight, transpose } from '@hrm-webgpu/kernels';
import { BLOCK_LAYERS, BLOCK_TOKENS } from '../kernels/block-shapes.ts';
import { randomTensor, upload } from './inputs.ts';
import type { Part, Task } from './task.ts';

const PRODUCTS = ['x·Wᵀ', 'dy·W', 'dyᵀ·x'] as const;

/** Linear layers forward, and the gradients of their input and of their weight. */
export function matmulPart(device: Device): Part {
  const tasks = async () =>
    BLOCK_LAYERS.flatMap(([inner, out]) =>
      PRODUCTS.map((product) => productTask(device, product, inner, out)),
    );
  return { name: 'matmul', peers: ['jax-js', 'tfjs'], goals: { 'jax-js': 3.5, tfjs: 3.5 }, tasks };
}

function productTask(device: Device, product: (typeof PRODUCTS)[number], inner: number, out: number): Task {
  const host = {
    x: randomTensor([BLOCK_TOKENS, inner], 0),
    w: randomTensor([out, inner], 1),
    dy: randomTensor([BLOCK_TOKENS, out], 2),
  };
  const x = upload(device, host.x);
  const w = upload(device, host.w);
  const dy = upload(device, host.dy);
  const transposed = transpose(w);
  const { x: hostX, w: hostW, dy: hostDy } = host;
  const forms = {
    // As the model has it: Wᵀ is kept between two changes of W.
    x·Wᵀ: { compute: () => linear(x, w, transposed), terms: inner, tensors: { x: hostX, w: hostW } },
    dy·W: {
      compute: () => linearBackwardInput(dy, w, x.shape),
      terms: out,
      tensors: { dy: hostDy, w: hostW },
    },
    dyᵀ·x: {
      compute: () => linearBackwardWeight(dy, x, w.shape),
      terms: BLOCK_TOKENS,
      tensors: { dy: hostDy, x: hostX },
    },
  };
  const { compute, terms, tensors }: { compute(): Tensor; terms: number; tensors: Task['tensors'] } =
    forms[product];
  return {
    name: `${product}, ${inner}→${out}`,
    peerTask: { name: 'matmul', params: { product } },
    tensors,
    run: () => compute().dispose(),
    async results() {
      const result = compute();
      const data = await result.readF32();
      result.dispose();
      return { result: { data } };
    },
    // The kernels' own tolerance, as in matmul.ts: the error of a sum of k terms grows as √k.
    tolerance: 10 * Math.sqrt(terms + 4) * 2 ** -24,
    dispose() {
      for (const tensor of [x, w, dy, transposed]) tensor.dispose();
    },
  };
}
