import {
  type AdapterDescription,
  type ConstantValues,
  type Device,
  type ParamValues,
  parseShader,
  type ShaderSource,
  type Tensor,
} from '@hrm-webgpu/core';

/** Workgroups in x, y and z. */
export type Grid = readonly [number, number, number];

export type AdapterClass = AdapterDescription['class'];

/**
 * What there is to know about one kernel besides its WGSL file, which declares bindings, parameters and tunables.
 * `P` are the fields of its `struct Params`.
 */
export interface Kernel<P extends ParamValues> extends ShaderSource {
  /** The class of adapters that it is made for, and others are not offered; all where this is absent. */
  madeFor?: AdapterClass;
  /** Whether an adapter can run it; all can where this is absent. */
  needs?(adapter: AdapterDescription): boolean;
  /** Constants that follow from the shapes, and defaults of tunables that differ between adapter classes. */
  constants?(params: P, adapter: AdapterClass): ConstantValues;
  /** The grid; `constants` are those that the shader is compiled with, all of them. */
  workgroups(params: P, constants: Readonly<Record<string, number>>): Grid;
  /** Floating-point operations; a multiply-add counts two. */
  flops(params: P): number;
  /** Bytes that must be read and written at least once. */
  bytes(params: P): number;
  /** What a launch may be divided by; absent where it cannot be divided. */
  parts?: Parts<P>;
}

/**
 * How a kernel is launched part by part, with the bits of the whole. Its shader has two parameters more, `first` and
 * `count`: which of the items a launch computes.
 */
export interface Parts<P extends ParamValues> {
  /** How many items there are: rows, heads. */
  items(params: P): number;
  /** Parts are whole multiples of so many: what a workgroup computes. */
  step(constants: Readonly<Record<string, number>>): number;
  /** The parameters of a problem that has `count` items, for the grid and the work of a part. */
  sized(params: P, count: number): P;
}

/** Lanes that the `*_subgroup` kernels share loads among: adapters with fewer in a subgroup run the plain kernels. */
export const SUBGROUP_LANES = 8;

/** Whether an adapter can run the `*_subgroup` kernels. */
export function hasSubgroups({ subgroupMinSize }: AdapterDescription): boolean {
  return subgroupMinSize >= SUBGROUP_LANES;
}

/** What choosing a kernel goes by. */
export type KernelHost = Pick<Device, 'adapter' | 'unfit'> & Partial<Pick<Device, 'shaders'>>;

/** Whether a kernel is a choice on a device. */
export function suits(
  { name, madeFor, needs }: Pick<Kernel<never>, 'name' | 'madeFor' | 'needs'>,
  { adapter, unfit }: KernelHost,
): boolean {
  return (madeFor ?? adapter.class) === adapter.class && (needs?.(adapter) ?? true) && !unfit.has(name);
}

/** A kernel with the constants that it was launched with. */
export interface LaunchedKernel {
  kernel: Kernel<ParamValues>;
  constants: ConstantValues;
}

const watchers = new WeakMap<Device, Map<string, LaunchedKernel>>();

/** Runs `body` and returns the kernels that it launches on the device, each once with the same constants. */
export function observeLaunches(device: Device, body: () => void): LaunchedKernel[] {
  const launched = new Map<string, LaunchedKernel>();
  watchers.set(device, launched);
  try {
    body();
  } finally {
    watchers.delete(device);
  }
  return [...launched.values()];
}

/** Names a kernel with its constants. */
export function launchKey({ kernel, constants }: LaunchedKernel): string {
  return `${kernel.name} ${JSON.stringify(constants)}`;
}

/** What launching a kernel comes to: constants, parameters, grid and work, and how it can be divided. */
export function planLaunch<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  overrides: ConstantValues,
  adapter: AdapterClass,
) {
  const constants = { ...kernel.constants?.(params, adapter), ...overrides };
  const numbers = { ...defaultNumbers(kernel), ...numbersOf(constants) };
  const sized = (size: P, range?: { first: number; count: number }) => ({
    params: { ...params, ...range },
    workgroups: kernel.workgroups(size, numbers),
    work: { flops: kernel.flops(size), bytes: kernel.bytes(size) },
  });
  const { parts } = kernel;
  const items = parts?.items(params) ?? 0;
  const division = parts && {
    items,
    step: parts.step(numbers),
    part: (first: number, count: number) => sized(parts.sized(params, count), { first, count }),
  };
  return { constants, ...sized(params, parts && { first: 0, count: items }), division };
}

/** A kernel as a device runs it: with the text that the device was opened with for it, if there is one. */
export function onDevice<P extends ParamValues>(kernel: Kernel<P>, { shaders }: Device): Kernel<P> {
  const text = shaders?.get(kernel.name);
  return text === undefined ? kernel : { ...kernel, text };
}

/** Runs a kernel: tensors by binding name, parameters, and constants that overrule the defaults. */
export function launch<P extends ParamValues>(
  device: Device,
  standard: Kernel<P>,
  tensors: Readonly<Record<string, Tensor>>,
  params: P,
  overrides: ConstantValues = {},
): void {
  const kernel = onDevice(standard, device);
  const planned = planLaunch(kernel, params, overrides, device.adapter.class);
  const launched = { kernel: kernel as unknown as Kernel<ParamValues>, constants: planned.constants };
  watchers.get(device)?.set(launchKey(launched), launched);
  device.run({ source: kernel, tensors, ...planned });
}

const defaults = new Map<string, Record<string, number>>();

/** The numeric constants of a shader as its file declares them. */
function defaultNumbers({ name, text }: ShaderSource): Record<string, number> {
  let numbers = defaults.get(text);
  if (!numbers) {
    const declared = parseShader(name, text).constants.values();
    numbers = numbersOf(Object.fromEntries([...declared].map(({ name, value }) => [name, Number(value)])));
    defaults.set(text, numbers);
  }
  return numbers;
}

function numbersOf(constants: ConstantValues): Record<string, number> {
  return Object.fromEntries(
    Object.entries(constants).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

/** The widest vector (at most `widest`) that divides `length`, as the shaders' `pack` type. */
export function packFor(length: number, widest: 2 | 4 = 4): { pack: string; width: number } {
  if (widest === 4 && length % 4 === 0) return { pack: 'vec4<f32>', width: 4 };
  if (length % 2 === 0) return { pack: 'vec2<f32>', width: 2 };
  return { pack: 'f32', width: 1 };
}

/** The constants of a kernel that takes `length` elements by packs. */
export function elementPacks({ length }: { length: number }): ConstantValues {
  const { pack, width } = packFor(length);
  return { pack, PACK: width };
}

/** What WebGPU guarantees for the workgroups in a dimension. An object, so that tests can fold every kernel's grid. */
export const GRID = { widest: 65_535 };

/**
 * So many workgroups along one dimension, folded into two where one is too short: near-square, so that the last row has
 * few that are idle. Kernels number them by `num_workgroups`.
 */
export function fold(groups: number): readonly [number, number] {
  if (groups <= GRID.widest) return [groups, 1];
  const side = Math.ceil(Math.sqrt(groups));
  return [side, Math.ceil(groups / side)];
}

/** A one-dimensional grid of at least `threads` threads, folded. */
export function linearGrid(threads: number, group: number): Grid {
  return [...fold(Math.ceil(threads / group)), 1];
}
