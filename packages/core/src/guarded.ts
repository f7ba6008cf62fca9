/** Runs one kernel between guard zones: memory around its arrays that shows what an index out of bounds does. */
import type { Device } from './device.ts';
import type { ParamValues, Program } from './program.ts';
import { type HostArray, Tensor } from './tensor.ts';

/** `GPUBufferUsage.UNIFORM`, and bytes for any `struct Params`. By themselves, so that a bundle need not hand its own out. */
const UNIFORM = { usage: 0x40, size: 256 };
/**
 * What guard zones hold. Of what is only read, a NaN, and as an index one that is out of every bound. Of what is written, a
 * number of its own: a NaN that is computed from NaNs can have their very bits, and would pass for what stood there.
 */
const CANARY = { read: 0x7fc5ca5e, write: 0x4640e6b7 };
/** Bytes before an array: a multiple of what the offset of a storage binding may have to be one of. */
const BEFORE = 256;
/** Bytes behind an array: as many as it has, so that a row or a tile too many ends there, but from as many to as many. */
const BEHIND = { least: 4096, most: 1 << 20 };

/** What a guarded kernel is run on. */
export interface GuardedLaunch {
  /** By binding name: what each holds before. */
  contents: Readonly<Record<string, HostArray>>;
  params: ParamValues;
  workgroups: readonly [number, number, number];
  /** Binds the arrays without the zones behind them, so that `arrayLength` is what they have. */
  exact?: boolean;
}

/**
 * Runs a program on arrays that lie between guard zones in larger buffers. Each is bound with the zone behind it, so that an
 * index beyond its end reaches that: a read meets NaN, a write is found. On adapters without bounds checks the zone in
 * front is reached as well.
 *
 * @returns the arrays after it, and what was written outside of them
 * @throws Error when there are no contents for a binding
 */
export async function launchGuarded(
  device: Device,
  program: Program,
  { contents, params, workgroups, exact = false }: GuardedLaunch,
): Promise<{ arrays: Record<string, HostArray>; trespass?: string }> {
  const zones = program.shader.bindings.map(({ name, access, index }): Zone => {
    const data = contents[name];
    if (!data) throw new Error(`${program.name}: no contents given for binding '${name}'`);
    const canary = access === 'read' ? CANARY.read : CANARY.write + index;
    const tensor = Tensor.from(device, framed(data, canary));
    const size = exact ? data.byteLength : tensor.bytes - BEFORE;
    return { name, data, canary, tensor, size };
  });
  try {
    await device.stream.ready(); // the contents are on their way before what follows
    if (!workgroups.includes(0)) {
      dispatch(device, program, { zones, params, workgroups });
      device.stream.dispatchCount += 1;
    }
    const arrays: Record<string, HostArray> = {};
    const strays: string[] = [];
    for (const zone of zones) {
      const { name, data } = zone;
      const words = (await zone.tensor.read()) as Uint32Array;
      const type = data.constructor as Float32ArrayConstructor;
      arrays[name] = new type(words.buffer as ArrayBuffer, BEFORE, data.length);
      strays.push(...strayWrite(zone, words));
    }
    return { arrays, ...(strays.length > 0 ? { trespass: strays.join('; ') } : {}) };
  } finally {
    for (const { tensor } of zones) tensor.dispose();
  }
}

interface Zone {
  name: string;
  data: HostArray;
  /** What its guard zones hold. */
  canary: number;
  /** The array and its zones. */
  tensor: Tensor;
  /** Bytes that are bound, from the array's first on. */
  size: number;
}

/** Encodes and submits the dispatch by itself: it binds parts of buffers, which nothing else does. */
function dispatch(
  { gpu }: Device,
  program: Program,
  { zones, params, workgroups }: { zones: readonly Zone[] } & Pick<GuardedLaunch, 'params' | 'workgroups'>,
): void {
  const uniform = gpu.createBuffer({ ...UNIFORM, mappedAtCreation: true });
  program.packParams(params, new DataView(uniform.getMappedRange()));
  uniform.unmap();
  const entries = zones.map(({ tensor, size }, i) => ({
    binding: i + 1,
    resource: { buffer: tensor.buffer.gpu, offset: BEFORE, size },
  }));
  const group = gpu.createBindGroup({
    layout: program.layout,
    entries: [{ binding: 0, resource: { buffer: uniform } }, ...entries],
  });
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(program.pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  uniform.destroy();
}

/** An array between its zones. */
function framed(data: HostArray, canary: number): Uint32Array {
  const behind = Math.min(BEHIND.most, Math.max(BEHIND.least, data.byteLength));
  const words = new Uint32Array((BEFORE + data.byteLength + behind) / 4).fill(canary);
  words.set(new Uint32Array(data.buffer, data.byteOffset, data.length), BEFORE / 4);
  return words;
}

/** Which element outside of an array was written, the nearest behind it first. */
function strayWrite({ name, data: { length }, canary }: Zone, words: Uint32Array): string[] {
  const first = BEFORE / 4;
  const places = Array.from({ length: words.length - length }, (_, i) => (i < first ? i : i + length));
  const strays = places.filter((at) => words[at] !== canary);
  if (strays.length === 0) return [];
  const at = (strays.find((place) => place >= first) ?? strays[0]) - first;
  const more = strays.length > 1 ? `, and ${strays.length - 1} more` : '';
  return [`${name}[${at}] is written, but ${name} has ${length} elements${more}`];
}
