// What `npm run portability` runs: the suite (test/portability/suite.ts) on every implementation and variant.

/** The suite's parts, for runs on llvmpipe: some of each kernel's pipelines, since compiling them is what takes time. */
const part = (index, of) => ({ slice: { index, of }, parity: true, predictions: 4, steps: 60 });
/** The same where only kernels with workgroup memory or bounds are in question. */
const kernelsOnly = (index, of) => ({ slice: { index, of }, parity: true, predictions: 0, steps: 0 });
const all = { slice: { index: 0, of: 1 }, parity: true, predictions: 32, steps: 60 };

const AS_GPU = { HRM_ADAPTER_CLASS: 'gpu' };
const words = (feature) => ({ words: [`enable-dawn-features=${feature}`] });

/**
 * `losses`: runs of a group must have the losses of its first member to 1e-6: they run the same kernels on the same
 * driver. `slow` is what takes minutes; such runs start first.
 */
export const RUNS = [
  { name: 'Deno: wgpu, naga', host: 'deno', suite: all, losses: 'plain kernels', slow: true },
  {
    name: 'Firefox: wgpu, naga',
    host: 'firefox',
    suite: part(1, 3),
    whole: all,
    losses: 'plain kernels',
    slow: true,
  },
  {
    name: 'Dawn: no features, default limits',
    host: 'node',
    dawn: { bare: true },
    suite: part(2, 3),
    losses: 'plain kernels',
    reference: true,
  },
  { name: 'Dawn: kernels for GPUs', host: 'node', env: AS_GPU, suite: part(0, 4) },
  { name: 'Dawn: no f16', host: 'node', dawn: { without: ['shader-f16'] }, suite: part(1, 4) },
  {
    name: 'Dawn: no subgroups',
    host: 'node',
    dawn: { without: ['subgroups'] },
    suite: part(0, 3),
    losses: 'plain kernels',
  },
  {
    name: 'Dawn: subgroups of 4',
    host: 'node',
    env: { LP_NATIVE_VECTOR_WIDTH: '128' },
    suite: kernelsOnly(2, 6),
  },
  {
    name: 'Dawn: subgroups of 8',
    host: 'node',
    env: { LP_NATIVE_VECTOR_WIDTH: '256' },
    suite: kernelsOnly(3, 6),
  },
  {
    name: 'Dawn: subgroups of 16',
    host: 'node',
    env: { LP_NATIVE_VECTOR_WIDTH: '512' },
    suite: kernelsOnly(4, 6),
  },
  {
    name: 'Dawn: workgroup memory not initialised',
    host: 'node',
    env: AS_GPU,
    dawn: words('disable_workgroup_init'),
    suite: { ...kernelsOnly(5, 6), parity: false }, // GPU kernels take long to compile, and parity was looked at above
  },
  {
    name: 'Dawn: robustness off',
    host: 'node',
    dawn: words('disable_robustness'),
    suite: kernelsOnly(1, 6),
  },
  {
    name: 'Dawn: SwiftShader',
    host: 'node',
    swiftshader: true,
    suite: { ...part(0, 8), predictions: 2 },
    losses: 'SwiftShader',
    reference: true,
  },
  {
    name: 'Chromium: SwiftShader',
    host: 'chromium',
    suite: { ...part(1, 8), predictions: 2 },
    losses: 'SwiftShader',
  },
];

/** The suite of a run when everything is asked for. */
export function suiteOf({ suite, whole }, everything) {
  if (!everything) return suite;
  return whole ?? { ...suite, slice: { index: 0, of: 1 } };
}
