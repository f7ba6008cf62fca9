/** What a piece of work consists of: every kernel that it launches, with its tensors and the op that it belongs to. */
import type { ConstantValues, Device, DType, Launch, ParamValues, Shape, Tensor } from '@hrm-webgpu/core';

/** A tensor as a launch has it. */
export interface BoundTensor {
  binding: string;
  access: 'read' | 'read_write';
  /** Made by the work and not written by it so far: it may hold anything, and still does where the launch does not write. */
  fresh: boolean;
  shape: Shape;
  dtype: DType;
  /** Alive at the launch; may be freed afterwards. */
  tensor: Tensor;
  /** Its memory, which a recording keeps. */
  buffer: Tensor['buffer'];
}

/** One launch of a kernel. */
export interface WatchedLaunch {
  /** From 0, in order. */
  number: number;
  /**
   * `linear.17`: what the tape knows its output by, the op and a number in the order in which ops are recorded or would be
   * without `noGrad`. `linear.17.backward` in its gradient rule; the kernel and a number, `act_step.0`, where no op has it.
   */
  name: string;
  /** The binding of the tensor that is the op's output; absent where no op has it. */
  output?: string;
  /** The memory of what the op was given, such as a weight that its kernel reads a copy of; with `output`. */
  operands?: readonly Tensor['buffer'][];
  kernel: string;
  /** What the shader is compiled with. */
  constants: ConstantValues;
  params: ParamValues;
  workgroups: readonly [number, number, number];
  work: NonNullable<Launch['work']>;
  tensors: readonly BoundTensor[];
  /** Which command of the recording it is, where there is one. */
  command?: number;
}

/** Told of launches while they happen. What it launches itself is not watched. */
export interface LaunchObserver {
  before?(launch: WatchedLaunch): void;
  after?(launch: WatchedLaunch): void;
}

/**
 * Runs `body` and returns what it launches on the device, be it done or recorded. Names are known when it has ended.
 */
export function watchLaunches<T>(
  device: Device,
  body: () => T,
  observer: LaunchObserver = {},
): { result: T; launches: readonly WatchedLaunch[] } {
  const { tape, stream } = device;
  const { run, acquire } = device;
  const { record, pop } = tape;
  const { upload, copy } = stream;
  const names = new Names();
  const launches: WatchedLaunch[] = [];
  const fresh = new Set<BoundTensor['buffer']>();
  const told = (step: LaunchObserver['before'], launch: WatchedLaunch) => {
    unwatch();
    try {
      step?.(launch);
    } finally {
      watch();
    }
  };
  // What the device, its stream and its tape do on the way: each does what it did, and is noted.
  const watch = () => {
    device.acquire = (...args) => {
      const buffer = acquire.apply(device, args);
      fresh.add(buffer);
      return buffer;
    };
    device.run = (launch) => {
      if (launch.workgroups.includes(0)) return run.call(device, launch);
      const watched = describe(device, launch, launches.length, fresh);
      told(observer.before, watched);
      run.call(device, launch);
      const commands = stream.recording?.commands;
      if (commands) watched.command = commands.length - 1;
      for (const { access, buffer } of watched.tensors) if (access === 'read_write') fresh.delete(buffer);
      launches.push(watched);
      names.launched(watched);
      told(observer.after, watched);
    };
    stream.upload = (target, ...rest) => {
      fresh.delete(target);
      upload.call(stream, target, ...rest);
    };
    stream.copy = (source, target, ...rest) => {
      fresh.delete(target);
      copy.call(stream, source, target, ...rest);
    };
    tape.record = (op, inputs, output, ...rest) => {
      names.recorded(op, inputs, output);
      record.call(tape, op, inputs, output, ...rest);
    };
    tape.pop = () => {
      const node = pop.call(tape);
      names.differentiated(node?.output);
      return node;
    };
  };
  const unwatch = () => {
    Object.assign(device, { run, acquire });
    Object.assign(stream, { upload, copy });
    Object.assign(tape, { record, pop });
  };
  watch();
  try {
    const result = body();
    names.settle(launches);
    return { result, launches };
  } finally {
    unwatch();
  }
}

function describe(
  device: Device,
  launch: Launch,
  number: number,
  unwritten: ReadonlySet<BoundTensor['buffer']>,
): WatchedLaunch {
  const { source, constants = {}, params, workgroups, work = { flops: 0, bytes: 0 } } = launch;
  const tensors = device.program(source, constants).shader.bindings.flatMap(({ name: binding, access }) => {
    const tensor = launch.tensors[binding];
    if (!tensor) return []; // the launch itself says so
    const { shape, dtype, buffer } = tensor;
    const fresh = access === 'read_write' && unwritten.has(buffer);
    return [{ binding, access, fresh, shape, dtype, tensor, buffer }];
  });
  return { number, name: '', kernel: source.name, constants, params, workgroups, work, tensors };
}

/** Finds out what launches are called. */
class Names {
  /** By the number of the tensor that an op gave. */
  private readonly ofTensors = new Map<number, string>();
  private readonly counts = new Map<string, number>();
  /** Launches since the tape was last told something. */
  private pending: WatchedLaunch[] = [];
  /** Whose gradient rule is at work. */
  private backwardOf: string | undefined;

  launched(launch: WatchedLaunch): void {
    if (this.backwardOf === undefined) this.pending.push(launch);
    else launch.name = this.numbered(this.backwardOf, true);
  }

  /** The op's launch is the last one that wrote its output. Others before it go by their kernels. */
  recorded(op: string, inputs: readonly Tensor[], output: Tensor): void {
    const name = this.numbered(op);
    this.ofTensors.set(output.id, name);
    for (const launch of this.pending.splice(0).reverse()) {
      const written = launch.tensors.find(
        ({ access, buffer }) => access === 'read_write' && buffer === output.buffer,
      );
      if (!written) continue;
      launch.name = name;
      launch.output = written.binding;
      launch.operands = inputs.map(({ buffer }) => buffer);
      return;
    }
  }

  /** The tape's next op, or its end. */
  differentiated(output: number | undefined): void {
    this.pending = [];
    const name = output === undefined ? undefined : this.ofTensors.get(output);
    this.backwardOf = output === undefined ? undefined : `${name ?? 'op'}.backward`;
  }

  settle(launches: readonly WatchedLaunch[]): void {
    for (const launch of launches) launch.name ||= this.numbered(launch.kernel);
  }

  /** `linear.0`; the `first` may be without a number: `linear.0.backward`, `linear.0.backward.1`. */
  private numbered(base: string, first = false): string {
    const count = this.counts.get(base) ?? 0;
    this.counts.set(base, count + 1);
    return first && count === 0 ? base : `${base}.${count}`;
  }
}
