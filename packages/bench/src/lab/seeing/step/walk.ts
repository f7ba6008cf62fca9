/** Goes through a step launch by launch, and reads what each wrote. */
import { type Device, type DType, type Plan, type Shape, sizeOf, Tensor } from '@hrm-webgpu/core';
import { type BoundTensor, type WatchedLaunch, watchLaunches } from '@hrm-webgpu/kernels/checks';
import type { ModelStep } from './model-step.ts';

/** A tensor that a launch writes. */
export interface Output {
  /**
   * What the tape calls it: the launch's name where it is the op's output, else that and the binding,
   * `attention.0:log_sum_exp`.
   */
  name: string;
  /** What the model calls it, of the last launch in the step that writes it: a weight, `<weight>.grad`, `logits`. */
  alias?: string;
  launch: WatchedLaunch;
  binding: string;
  shape: Shape;
  dtype: DType;
}

/** What the launches write, in order. */
function outputsOf(launches: readonly WatchedLaunch[], { named }: ModelStep): Output[] {
  const aliases = new Map([...named].map(([alias, buffer]) => [buffer, alias]));
  const outputs = launches.flatMap((launch) =>
    launch.tensors
      .filter(({ access }) => access === 'read_write')
      .map(({ binding, shape, dtype, buffer }) => ({
        output: {
          name: binding === launch.output ? launch.name : `${launch.name}:${binding}`,
          ...{ launch, binding, shape, dtype },
        } as Output,
        buffer,
      })),
  );
  for (const { output, buffer } of outputs.toReversed()) {
    const alias = aliases.get(buffer);
    if (alias) output.alias = alias;
    aliases.delete(buffer);
  }
  return outputs.map(({ output }) => output);
}

/** Told of each output that it is interested in, right after the launch, with the words in it. */
export interface Visitor {
  wants(output: Output): boolean;
  visit(output: Output, words: Uint32Array): Promise<void>;
}

/**
 * A step, made in one of the two ways. Memory that nothing has written is cleared before a launch that is looked at gets it: some
 * kernels write a part and leave the rest to another, and what stood there before is nobody's.
 */
export interface Walkable {
  readonly launches: readonly WatchedLaunch[];
  readonly outputs: readonly Output[];
  /** Makes a step as it is made when nobody looks. */
  run(): void;
  /** Makes one and shows what it writes. */
  walk(visitor: Visitor): Promise<void>;
  dispose(): void;
}

/** A recorded step: it waits after each launch that somebody is interested in, so that little memory is needed. */
export function recordStep(device: Device, step: ModelStep): Walkable & { plan: Plan<Tensor> } {
  const { result: plan, launches } = watchLaunches(device, () => device.record(() => step.body()));
  const outputs = outputsOf(launches, step);
  return {
    launches,
    outputs,
    plan,
    run() {
      step.begin();
      plan.replay();
    },
    async walk(visitor) {
      step.begin();
      const { commands } = plan;
      await Promise.all(commands.map((command) => 'program' in command && command.program.prepare()));
      let done = 0;
      for (const launch of launches) {
        const wanted = outputs.filter((output) => output.launch === launch && visitor.wants(output));
        if (wanted.length === 0) continue;
        const next = launch.command as number;
        device.stream.replay(commands.slice(done, next));
        for (const { fresh, buffer, shape } of wanted.map(bound))
          if (fresh) device.stream.upload(buffer, new Uint32Array(sizeOf(shape)));
        device.stream.replay(commands.slice(next, next + 1));
        done = next + 1;
        for (const output of wanted) await visitor.visit(output, await wordsOf(device, bound(output)));
      }
      device.stream.replay(commands.slice(done));
      await device.stream.finish();
    },
    dispose: () => plan.dispose(),
  };
}

/** An eager step, which nothing can stop: what somebody is interested in is copied as it comes, and read in the end. */
export function eagerStep(device: Device, step: ModelStep): Walkable {
  const recorded = recordStep(device, step);
  recorded.dispose(); // it told what there will be
  const { launches, outputs } = recorded;
  return {
    launches,
    outputs,
    run() {
      step.begin();
      device.scope(() => step.body()).dispose();
    },
    async walk(visitor) {
      step.begin();
      const copies: { output: Output; copy: Tensor }[] = [];
      const wantedOf = ({ number, tensors }: WatchedLaunch) =>
        outputs
          .filter(({ launch }) => launch.number === number)
          .filter((output) => visitor.wants(output))
          .map((output) => ({
            output,
            tensor: tensors.find(({ binding }) => binding === output.binding) as BoundTensor,
          }));
      const observer = {
        before(launch: WatchedLaunch) {
          for (const { tensor } of wantedOf(launch))
            if (tensor.fresh)
              tensor.tensor.write(numbersOf(new Uint32Array(sizeOf(tensor.shape)), tensor.dtype));
        },
        after(launch: WatchedLaunch) {
          for (const { output, tensor } of wantedOf(launch)) {
            const copy = device.unscoped(() => Tensor.empty(device, tensor.shape, tensor.dtype));
            copy.assign(tensor.tensor);
            copies.push({ output, copy });
          }
        },
      };
      watchLaunches(device, () => device.scope(() => step.body()), observer).result.dispose();
      for (const { output, copy } of copies) {
        await visitor.visit(output, await wordsOf(device, copy));
        copy.dispose();
      }
    },
    dispose() {},
  };
}

const bound = ({ launch, binding }: Output) =>
  launch.tensors.find((tensor) => tensor.binding === binding) as BoundTensor;

async function wordsOf(
  device: Device,
  { buffer, shape }: Pick<BoundTensor, 'buffer' | 'shape'>,
): Promise<Uint32Array> {
  return new Uint32Array(await device.stream.read(buffer, 4 * sizeOf(shape)));
}

/** Words as the numbers that they are. */
export function numbersOf(words: Uint32Array, dtype: DType): Float32Array | Int32Array | Uint32Array {
  if (dtype === 'u32') return words;
  const type = dtype === 'f32' ? Float32Array : Int32Array;
  return new type(words.buffer as ArrayBuffer, words.byteOffset, words.length);
}

/** Makes all steps before the `number`-th, from 1. */
export async function runUpTo(device: Device, walkable: Walkable, number: number): Promise<void> {
  for (let i = 1; i < number; i++) {
    await device.stream.ready();
    walkable.run();
  }
  await device.stream.finish();
}
