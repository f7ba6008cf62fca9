import { philoxBlock } from '@hrm-webgpu/core';
import { integerArray, type KernelCheck } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { act_explore as text } from '../shaders.gen.ts';

export type ActExploreParams = {
  batch: number;
  /** Where the rows stand in the whole batch. */
  first_row: number;
  max_steps: number;
  /** Low and high word of the seed. */
  key0: number;
  key1: number;
  stream: number;
};

export const actExplore: Kernel<ActExploreParams> = {
  name: 'act_explore',
  text,
  workgroups: ({ batch }, { GROUP }) => linearGrid(batch, GROUP),
  flops: () => 0,
  bytes: ({ batch }) => 8 * batch,
};

export const check: KernelCheck<ActExploreParams> = {
  kernel: actExplore,
  cases: [
    { batch: 1, first_row: 0, max_steps: 1, key0: 0, key1: 0, stream: 0 },
    { batch: 97, first_row: 0, max_steps: 1, key0: 7, key1: 1, stream: 3 },
    { batch: 97, first_row: 0, max_steps: 2, key0: 7, key1: 0, stream: 3 },
    { batch: 1003, first_row: 3009, max_steps: 16, key0: 0xdeadbeef, key1: 0x1fffff, stream: 0x6578706c },
  ],
  inputs: (_, random) => ({ call: Uint32Array.from(integerArray(random, 1, 2 ** 31)) }),
  outputs: ({ batch }) => ({ explore: [batch], min_steps: [batch] }),
  integers: ['min_steps'],
  reference({ call }, { batch, first_row, max_steps, key0, key1, stream }) {
    const explore = new Float64Array(batch);
    const min_steps = new Float64Array(batch);
    const words = new Uint32Array(4);
    for (let row = 0; row < batch; row++) {
      philoxBlock(Uint32Array.of(first_row + row, call[0], stream, 0), key0, key1, words);
      explore[row] = (words[0] >>> 8) / 2 ** 24;
      min_steps[row] = max_steps > 1 ? 2 + (words[1] % (max_steps - 1)) : 1;
    }
    return { explore, min_steps };
  },
  tolerance: () => 0, // multiples of 2^-24 are exact in f32
};
