import { adapterName, type Device, openDevice, Philox, Tensor, UserError } from '@hrm-webgpu/core';
import { attention, linear } from '@hrm-webgpu/kernels';
import type { Command } from './command.ts';
import { parse } from './command.ts';
import { bold, green, print, red } from './terminal.ts';

/** The limits that shapes run into, and their units. */
const LIMITS = [
  ['maxBufferSize', 'MiB'],
  ['maxStorageBufferBindingSize', 'MiB'],
  ['maxStorageBuffersPerShaderStage', ''],
  ['maxComputeInvocationsPerWorkgroup', ''],
  ['maxComputeWorkgroupStorageSize', 'bytes'],
  ['maxComputeWorkgroupsPerDimension', ''],
] as const;

/** Features that the engine uses where they are there, and what is lost without them. */
const FEATURES: [GPUFeatureName, string][] = [
  ['subgroups', 'the faster matmul; without it the plain register tile runs'],
  ['timestamp-query', 'times of single kernels'],
  ['shader-f16', 'nothing yet: all kernels compute in f32'],
];

export const doctor: Command = {
  summary: 'show the adapter and prove that it computes correctly',
  help: `usage: hrm doctor

Prints adapter, driver, features and limits, what is missing and how to mend it, and runs real kernels (a matmul, an
attention) against float64. Exit code 1 when there is no adapter or it computes wrongly.`,

  async run(args) {
    const { positionals } = parse(args, {});
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    print(bold('machine'));
    print(`  node ${process.versions.node}, ${process.platform} ${process.arch}`);
    let device: Device;
    try {
      device = await openDevice();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      print(`${bold('adapter')}\n  ${red('none')}`);
      throw error;
    }
    try {
      describe(device);
      const checks = [await checkMatmul(device), await checkAttention(device)];
      print(bold('proof'));
      for (const { name, error, allowed } of checks) {
        const verdict = error <= allowed ? green('ok') : red('WRONG');
        print(
          `  ${verdict}  ${name}: largest error ${error.toExponential(1)}, allowed ${allowed.toExponential(1)}`,
        );
      }
      if (checks.every(({ error, allowed }) => error <= allowed)) return 0;
      throw new UserError('this adapter computes wrong results: update its driver, or use another adapter');
    } finally {
      device.close();
    }
  },
};

function describe(device: Device): void {
  const { adapter, gpu, limits } = device;
  print(bold('adapter'));
  print(`  ${adapterName(device)}`);
  print(
    `  vendor ${adapter.vendor || '–'}, architecture ${adapter.architecture || '–'}, class ${adapter.class}`,
  );
  if (adapter.class === 'software')
    print('  this adapter runs on the CPU; a GPU with a Vulkan, Metal or D3D12 driver is much faster');
  print(bold('features'));
  for (const [feature, use] of FEATURES) {
    const there = gpu.features.has(feature);
    const detail = feature === 'subgroups' && there ? ` (at least ${adapter.subgroupMinSize} lanes)` : '';
    print(`  ${there ? green('yes') : 'no '}  ${feature}${detail}${there ? '' : ` — for ${use}`}`);
  }
  print(bold('limits'));
  for (const [name, unit] of LIMITS) {
    const value = unit === 'MiB' ? Math.floor(limits[name] / 2 ** 20) : limits[name];
    print(`  ${name.padEnd(36)}${value} ${unit}`);
  }
}

interface Proof {
  name: string;
  error: number;
  allowed: number;
}

/** y = x·Wᵀ on an awkward shape against float64. */
async function checkMatmul(device: Device): Promise<Proof> {
  const [m, n, k] = [67, 130, 201];
  const random = new Philox(1);
  const x = Float32Array.from({ length: m * k }, () => 2 * random.uniform() - 1);
  const w = Float32Array.from({ length: n * k }, () => 2 * random.uniform() - 1);
  const y = device.scope(() => linear(Tensor.from(device, x, [m, k]), Tensor.from(device, w, [n, k])));
  let error = 0;
  (await y.readF32()).forEach((value, i) => {
    let exact = 0;
    for (let j = 0; j < k; j++) exact += x[Math.floor(i / n) * k + j] * w[(i % n) * k + j];
    error = worse(error, Math.abs(value - exact));
  });
  y.dispose();
  // The kernels' own bar: the error of a sum of k terms below 1 grows as √k.
  return { name: `matmul [${m}, ${k}] × [${k}, ${n}]`, error, allowed: 10 * Math.sqrt(k) * 2 ** -24 };
}

/** Attention over equal keys must give the mean of the values, whatever the queries. */
async function checkAttention(device: Device): Promise<Proof> {
  const [tokens, heads, dim] = [45, 3, 16];
  const width = heads * dim;
  const random = new Philox(2);
  const qkv = new Float32Array(tokens * 3 * width);
  for (let i = 0; i < qkv.length; i++) {
    const column = i % (3 * width);
    qkv[i] = column >= width && column < 2 * width ? (column % 5) - 2 : 2 * random.uniform() - 1;
  }
  const o = device.scope(() => attention(Tensor.from(device, qkv, [1, tokens, 3 * width]), heads));
  let error = 0;
  (await o.readF32()).forEach((value, i) => {
    let mean = 0;
    for (let t = 0; t < tokens; t++) mean += qkv[t * 3 * width + 2 * width + (i % width)] / tokens;
    error = worse(error, Math.abs(value - mean));
  });
  o.dispose();
  // A sum of 45 terms below 1, a division, and exp of equal numbers.
  return { name: `attention over ${tokens} tokens, ${heads} heads`, error, allowed: 32 * 2 ** -24 };
}

/** The larger error; NaN counts as infinitely large. */
function worse(a: number, b: number): number {
  return Number.isNaN(b) ? Number.POSITIVE_INFINITY : Math.max(a, b);
}
