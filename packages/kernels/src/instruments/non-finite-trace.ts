/** Where numbers cease to be numbers. */
import { type Device, sizeOf, Tensor, UserError } from '@hrm-webgpu/core';
import { place } from '../checks/compare.ts';
import { fill } from '../defs/fill.ts';
import { NON_FINITE_KINDS, nonFinite } from '../defs/non_finite.ts';
import { launch } from '../kernel.ts';
import { type BoundTensor, type WatchedLaunch, watchLaunches } from './watch-launches.ts';

/** The first number that is not finite. */
export interface NonFinite {
  /** The kernel that wrote it; absent where it came from outside. */
  kernel?: string;
  /** See {@link WatchedLaunch}; of what came from outside, the launch that read it first. */
  launch: WatchedLaunch;
  binding: string;
  /** Of the tensor, in row-major order. */
  index: number;
  value: (typeof NON_FINITE_KINDS)[number];
  /** All of it in words. */
  text: string;
}

/** A tensor that is looked at. */
interface Slot {
  launch: WatchedLaunch;
  tensor: BoundTensor;
  outside: boolean;
}

const WORDS = NON_FINITE_KINDS.length;
/** Tensors that a body may read and write; a training step of the published model at batch 384 has some 3000. */
const MOST_SLOTS = 2 ** 16;

/**
 * Names the first kernel whose output has a NaN or an infinity, and where. After each launch of a body another kernel looks at what
 * it wrote, by the bits, and before the first use of each tensor from outside at that; what is computed stays the same. In a
 * recording those looks are recorded as well, and each replay does them. Of i32 and u32 nothing is looked at. Memory that
 * nothing has written is cleared before a kernel gets it, as some write a part and leave the rest to another.
 *
 *     const trace = new NonFiniteTrace(device);
 *     const plan = trace.watch(() => device.record(step));
 *     plan.replay();
 *     await trace.check('step 1');
 */
export class NonFiniteTrace {
  private readonly found: Tensor;
  private slots: Slot[] = [];

  /** @param names tensors from outside, weights for example, by what messages call them */
  constructor(
    private readonly device: Device,
    private readonly names: ReadonlyMap<string, Tensor> = new Map(),
  ) {
    this.found = device.unscoped(() => Tensor.from(device, new Uint32Array(WORDS * MOST_SLOTS)));
  }

  /**
   * Runs `body`, in which everything that is launched is looked at: at once, or in the replays of what it records. What was found
   * is about the last body that was watched.
   *
   * @throws UserError where it has too many launches
   */
  watch<T>(body: () => T): T {
    this.slots = [];
    const known = new Set<BoundTensor['buffer']>();
    const look = (launched: WatchedLaunch, access: BoundTensor['access'], outside: boolean) => {
      for (const tensor of launched.tensors) {
        if (tensor.access !== access || (outside && known.has(tensor.buffer))) continue;
        known.add(tensor.buffer);
        if (tensor.dtype === 'f32') this.look({ launch: launched, tensor, outside });
      }
    };
    return watchLaunches(this.device, body, {
      before: (launched) => {
        look(launched, 'read', true);
        for (const { fresh, dtype, tensor: y } of launched.tensors)
          if (fresh && dtype === 'f32') launch(this.device, fill, { y }, { length: y.size, value: 0 });
      },
      after: (launched) => look(launched, 'read_write', false),
    }).result;
  }

  /** What was found first since the last time that something was, in the order of launches; undefined where all is finite. */
  async first(): Promise<NonFinite | undefined> {
    const { slots, found, device } = this;
    if (slots.length === 0) return undefined;
    const words = new Uint32Array(await device.stream.read(found.buffer, 4 * WORDS * slots.length));
    const at = words.findIndex((word) => word > 0);
    if (at < 0) return undefined;
    found.write(new Uint32Array(found.size));
    const slot = Math.floor(at / WORDS);
    return this.describe(slots[slot], words.subarray(WORDS * slot, WORDS * (slot + 1)));
  }

  /**
   * @param what for the message: `step 12`
   * @throws UserError naming the kernel, the tensor, the element and the op where something is not finite
   */
  async check(what = 'the work'): Promise<void> {
    const found = await this.first();
    if (found) throw new UserError(`${what}: ${found.text}`);
  }

  dispose(): void {
    this.found.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private look(slot: Slot): void {
    if (this.slots.length === MOST_SLOTS)
      throw new UserError(`NonFiniteTrace: more than ${MOST_SLOTS} tensors to look at: watch less at a time`);
    const { tensor: x } = slot.tensor;
    const at = this.slots.push(slot) - 1;
    launch(this.device, nonFinite, { x, found: this.found }, { length: x.size, slot: at });
  }

  private describe({ launch, tensor, outside }: Slot, words: Uint32Array): NonFinite {
    const { binding, shape } = tensor;
    const kind = words.indexOf(Math.max(...words));
    const index = sizeOf(shape) - words[kind];
    const value = NON_FINITE_KINDS[kind];
    const where = `${binding}${place(index, shape)}`;
    const by = `launch ${launch.number}, ${launch.name}`;
    const text = outside
      ? `${this.nameOf(tensor.buffer) ?? 'a tensor'} holds ${value} before it is used: ${launch.kernel} reads it as ${where} (${by})`
      : `${launch.kernel} is the first to write ${value}, to ${where} (${by}${this.about(launch)})`;
    return { ...(outside ? {} : { kernel: launch.kernel }), launch, binding, index, value, text };
  }

  /** Which weights a launch or its op has. */
  private about({ tensors, operands = [] }: WatchedLaunch): string {
    const buffers = new Set([...tensors.map(({ buffer }) => buffer), ...operands]);
    const names = [...buffers].map((buffer) => this.nameOf(buffer)).filter(Boolean);
    return names.length > 0 ? `, with ${names.join(' and ')}` : '';
  }

  private nameOf(buffer: BoundTensor['buffer']): string | undefined {
    for (const [name, tensor] of this.names) if (tensor.buffer === buffer) return name;
    return undefined;
  }
}
