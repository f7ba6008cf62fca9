/** The files of a new kernel: complete, right and tested as they stand, and made to be edited. */
import type { Names } from './names.ts';

/** A file to be written. */
export interface NewFile {
  /** From the root of the checkout. */
  path: string;
  text: string;
  /** What it is for, in a line. */
  purpose: string;
}

/** The two files of a kernel. */
export function kernelFiles({ snake, camel, pascal }: Names): NewFile[] {
  return [
    {
      path: `shaders/${snake}.wgsl`,
      purpose: 'what runs on the GPU',
      text: `// y = x², elementwise. Say here what ${snake} computes, of which shapes, how, and where it comes from.

const GROUP: u32 = 64; // tune: 32 64 128 256

// One line in the definition's type for each of these: numbers of 4 bytes, the same for all threads.
struct Params { length: u32 }

// What is read, then what is written, from binding 1 on. Their names are those of the check.
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  // Grids that are too long for one dimension are folded into two.
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.length) {
    y[i] = x[i] * x[i]; // the computation
  }
}
`,
    },
    {
      path: `packages/kernels/src/defs/${snake}.ts`,
      purpose: 'its grid and cost, and its check against float64',
      text: `import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { ${snake} as text } from '../shaders.gen.ts';

/** The shader's \`struct Params\`. */
export type ${pascal}Params = { length: number };

export const ${camel}: Kernel<${pascal}Params> = {
  name: '${snake}',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: ({ length }) => length, // operations of an element, times their number
  bytes: ({ length }) => 8 * length, // x is read once, y is written once
};

export const check: KernelCheck<${pascal}Params> = {
  kernel: ${camel},
  // The awkward ones: one element, less than a workgroup, a prime.
  cases: [{ length: 1 }, { length: 63 }, { length: 1009 }],
  // What the bindings that are read hold: also what is hard (large, tiny, negative, 0).
  inputs: ({ length }, random) => ({ x: uniformArray(random, length) }),
  outputs: ({ length }) => ({ y: [length] }),
  // The same in float64, as plainly as can be, and not in the way of the shader.
  reference: ({ x }) => ({ y: Float64Array.from(x, (value) => value * value) }),
  tolerance: () => UNIT_ROUNDOFF, // one rounding, of a product
};
`,
    },
  ];
}

/** The files that make of a kernel a differentiable op, besides the kernel's own. */
export function opFiles({ snake, camel, pascal }: Names): NewFile[] {
  const backward = `${snake}_backward`;
  return [
    {
      path: `shaders/${backward}.wgsl`,
      purpose: 'its gradient on the GPU',
      text: `// dx = 2·x·dy: the gradient of ${snake}.wgsl.

const GROUP: u32 = 64; // tune: 32 64 128 256

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.length) {
    dx[i] = 2 * x[i] * dy[i]; // the gradient
  }
}
`,
    },
    {
      path: `packages/kernels/src/defs/${backward}.ts`,
      purpose: "the gradient's grid, cost and check",
      text: `import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { ${backward} as text } from '../shaders.gen.ts';
import type { ${pascal}Params } from './${snake}.ts';

export const ${camel}Backward: Kernel<${pascal}Params> = {
  name: '${backward}',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: ({ length }) => 2 * length,
  bytes: ({ length }) => 12 * length, // x and dy are read once, dx is written once
};

export const check: KernelCheck<${pascal}Params> = {
  kernel: ${camel}Backward,
  cases: [{ length: 1 }, { length: 63 }, { length: 1009 }],
  inputs: ({ length }, random) => ({ x: uniformArray(random, length), dy: uniformArray(random, length) }),
  outputs: ({ length }) => ({ dx: [length] }),
  reference: ({ x, dy }) => ({ dx: Float64Array.from(x, (value, i) => 2 * value * dy[i]) }),
  tolerance: () => UNIT_ROUNDOFF, // one rounding, of a product: doubling is exact
};
`,
    },
    {
      path: `packages/kernels/src/ops/${snake}.ts`,
      purpose: `the op: exported as ${camel}`,
      text: `import { Tensor } from '@hrm-webgpu/core';
import { ${camel} as ${camel}Kernel } from '../defs/${snake}.ts';
import { launch } from '../kernel.ts';
import { expectType } from './shapes.ts';

/** x², elementwise. */
export function ${camel}(x: Tensor): Tensor {
  const { device, shape } = x;
  expectType('${camel}', 'the operand', x, 'f32');
  const y = Tensor.empty(device, shape);
  launch(device, ${camel}Kernel, { x, y }, { length: x.size });
  // Its name, what it is differentiated by, its result, and what the gradient needs.
  device.tape.record('${camel}', [x], y, [x]);
  return y;
}
`,
    },
    {
      path: `packages/kernels/src/gradients/${snake}.ts`,
      purpose: 'its gradient rule',
      text: `import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { ${camel}Backward } from '../defs/${backward}.ts';
import { launch } from '../kernel.ts';

/** From the gradient of the result to that of x; \`saved\` is what the op kept. Found by its name. */
export const ${camel}Gradient: GradientRule = (dy, { saved: [x] }) => {
  const dx = Tensor.empty(x.device, x.shape);
  launch(x.device, ${camel}Backward, { x, dy, dx }, { length: x.size });
  return [dx];
};
`,
    },
    {
      path: `packages/kernels/test/ops/${snake}.test.ts`,
      purpose: 'the op and its gradient, against differences',
      text: `import { openDevice, Philox, Tensor } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { uniformArray } from '../../src/checks/check.ts';
import { checkGradients } from '../../src/checks.ts';
import { ${camel} } from '../../src/index.ts';

it('${camel} has the gradient of what it computes', async () => {
  using device = await openDevice();
  const x = Tensor.from(device, uniformArray(new Philox(1), 35), [5, 7]);
  const [found] = await checkGradients(${camel}, [x]); // rejects where it is wrong
  expect(found).toMatchObject({ input: 0, checked: 35, undecided: 0 });
  x.dispose();
  expect(device.tensors.size).toBe(0);
});
`,
    },
  ];
}
