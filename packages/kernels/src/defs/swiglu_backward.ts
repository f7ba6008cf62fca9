import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { swiglu_backward as text } from '../shaders.gen.ts';
import { farGates, type SwigluParams, swigluConstants, swigluInputs } from './swiglu.ts';

export const swigluBackward: Kernel<SwigluParams> = {
  name: 'swiglu_backward',
  text,
  constants: swigluConstants,
  workgroups: ({ rows, width }, { GROUP, PACK }) => linearGrid((rows * width) / PACK, GROUP),
  flops: ({ rows, width }) => 11 * rows * width,
  bytes: ({ rows, width }) => 20 * rows * width,
};

export const check: KernelCheck<SwigluParams> = {
  kernel: swigluBackward,
  cases: [
    { rows: 1, width: 1 },
    { rows: 3, width: 34 },
    { rows: 17, width: 256 },
  ],
  inputs: ({ rows, width }, random) => ({
    gate_up: swigluInputs(2 * rows * width, random),
    dy: uniformArray(random, rows * width),
  }),
  hard: ({ rows, width }, random) => ({
    'gates far from 0': () => ({ gate_up: farGates(2 * rows * width, random) }),
  }),
  outputs: ({ rows, width }) => ({ d_gate_up: [rows, 2 * width] }),
  reference({ gate_up, dy }, { rows, width }) {
    const d_gate_up = new Float64Array(2 * rows * width);
    for (let i = 0; i < rows * width; i++) {
      const first = Math.floor(i / width) * 2 * width + (i % width);
      const gate = gate_up[first];
      const sigmoid = 1 / (1 + Math.exp(-gate));
      d_gate_up[first] = dy[i] * gate_up[first + width] * sigmoid * (1 + gate * (1 - sigmoid));
      d_gate_up[first + width] = dy[i] * gate * sigmoid;
    }
    return { d_gate_up };
  },
  // As swiglu; what exp is off counts once more in 1 − sigmoid, times a gate of at most 4 where it matters.
  tolerance: (_, { exp, division }) => (exp(1) / 1.5 + division + 2) * UNIT_ROUNDOFF,
};
