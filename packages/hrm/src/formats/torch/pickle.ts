/**
 * A reader of the pickles that `torch.save` puts in a checkpoint: a stack machine that knows what protocols 2
 * (PyTorch's own) to 5 need for tensors, a list of harmless names, and nothing else. Nothing is imported or
 * called: a name outside the list is an error.
 *
 * Opcodes: Python's `pickletools`. What tensors look like: `torch.serialization` and `torch._utils`.
 */

import { UserError } from '@hrm-webgpu/core';
import { quoted } from '../quote.ts';
import { PickleBytes } from './pickle-bytes.ts';
import {
  CALLABLES,
  ORDERED_DICT,
  PickleDict,
  PickleGlobal,
  PickleTuple,
  type PickleValue,
  REBUILD_PARAMETER,
  REBUILD_TENSOR,
  STORAGE_DTYPES,
  StorageRef,
  TensorRef,
} from './pickle-values.ts';

/** The pickle of a full-size model has about 10 KB: these bound what a hostile one can cost. */
export const MAX_PICKLE_BYTES = 4 * 2 ** 20;
const MAX_OBJECTS = 100_000;
const MAX_MARKS = 256;

/** As `torch.Tensor`: no shape has more dimensions. */
const MAX_DIMENSIONS = 64;

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isNoHooks(value: PickleValue | undefined): boolean {
  return value instanceof PickleDict && value.entries.size === 0;
}

class Machine extends PickleBytes {
  private stack: PickleValue[] = [];
  /** The stacks as they were at each open MARK. */
  private readonly marks: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private objects = 0;

  run(): PickleValue {
    const [proto, version] = [this.u8(), this.u8()];
    if (proto !== 0x80 || version < 2 || version > 5) {
      this.fail('it does not start as a pickle of protocol 2 to 5');
    }
    for (;;) {
      const opcode = this.opcode();
      if (opcode === 0x2e) break; // STOP
      const step = STEPS.get(opcode);
      if (!step)
        this.fail(`opcode 0x${opcode.toString(16).padStart(2, '0')} is not one that torch.save writes`);
      step(this);
    }
    if (this.stack.length !== 1 || this.marks.length) this.fail('it stops with an unfinished value');
    return this.pop();
  }

  push(value: PickleValue): void {
    if (typeof value === 'object' && value !== null && ++this.objects > MAX_OBJECTS) {
      this.fail(`more than ${MAX_OBJECTS} objects`);
    }
    this.stack.push(value);
  }

  pop(): PickleValue {
    if (!this.stack.length) this.fail('it takes a value from an empty stack');
    return this.stack.pop() as PickleValue;
  }

  private top(): PickleValue {
    if (!this.stack.length) this.fail('it uses the top of an empty stack');
    return this.stack[this.stack.length - 1];
  }

  mark(): void {
    if (this.marks.length >= MAX_MARKS) this.fail(`values nested more than ${MAX_MARKS} deep`);
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** The values since the last MARK. */
  popMark(): PickleValue[] {
    const items = this.stack;
    this.stack = this.marks.pop() ?? this.fail('it goes back to a mark that is not there');
    return items;
  }

  tuple(length: number): void {
    const items = Array.from({ length }, () => this.pop()).reverse();
    this.push(new PickleTuple(items));
  }

  put(index = this.memo.size): void {
    if (index >= MAX_OBJECTS) this.fail(`memo index ${index}`);
    this.memo.set(index, this.top());
  }

  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) this.fail(`memo entry ${index} is empty`);
    this.stack.push(value);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail('it appends to something that is not a list');
    for (const item of items) list.push(item);
  }

  setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) this.fail('it sets an item of something that is not a dict');
    if (items.length % 2) this.fail('a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== 'string' && typeof key !== 'number')
        this.fail('a dict key that is no string or number');
      dict.entries.set(key, items[i + 1]);
    }
  }

  global(module: PickleValue, attribute: PickleValue): void {
    if (typeof module !== 'string' || typeof attribute !== 'string') this.fail('a name that is no string');
    const name = `${module}.${attribute}`;
    if (!CALLABLES.includes(name) && !STORAGE_DTYPES.has(name)) {
      this.fail(`it names ${quoted(name)}, which is no part of weights`);
    }
    this.push(new PickleGlobal(name));
  }

  stackGlobal(): void {
    const attribute = this.pop();
    this.global(this.pop(), attribute);
  }

  reduce(): void {
    const args = this.pop();
    const callable = this.pop();
    const name = callable instanceof PickleGlobal ? callable.name : 'something that is not a name';
    if (!(args instanceof PickleTuple)) this.fail(`${name} is called without a tuple of arguments`);
    if (name === ORDERED_DICT && args.items.length === 0) this.push(new PickleDict(true));
    else if (name === REBUILD_TENSOR) this.push(this.tensor(args.items));
    else if (name === REBUILD_PARAMETER) this.push(this.parameter(args.items));
    else this.fail(`${name} is called with ${args.items.length} arguments`);
  }

  /** (storage, offset, shape, stride, requires_grad, hooks) and perhaps a `_metadata` that is not needed. */
  private tensor(args: readonly PickleValue[]): TensorRef {
    const [storage, offset, shape, stride, , hooks] = args;
    if (
      args.length < 6 ||
      args.length > 7 ||
      !(storage instanceof StorageRef) ||
      !isCount(offset) ||
      !isNoHooks(hooks)
    ) {
      this.fail('a tensor that is not made of a storage, an offset, a shape, strides and no hooks');
    }
    const [extents, steps] = [this.counts(shape), this.counts(stride)];
    if (extents.length !== steps.length) {
      this.fail(`a tensor with ${extents.length} dimensions, but ${steps.length} strides`);
    }
    return new TensorRef(storage, offset, extents, steps);
  }

  /** (tensor, requires_grad, hooks) */
  private parameter([tensor, , hooks, ...rest]: readonly PickleValue[]): TensorRef {
    if (tensor instanceof TensorRef && isNoHooks(hooks) && rest.length === 0) return tensor;
    return this.fail('a parameter that is not made of a tensor and no hooks');
  }

  private counts(value: PickleValue): number[] {
    if (
      !(value instanceof PickleTuple) ||
      value.items.length > MAX_DIMENSIONS ||
      !value.items.every(isCount)
    ) {
      this.fail(`a shape or strides that are not a tuple of at most ${MAX_DIMENSIONS} non-negative integers`);
    }
    return value.items as number[];
  }

  /** ('storage', type, key, device, numel); where the tensor was, `cuda:0` say, does not matter. */
  persistentId(): void {
    const id = this.pop();
    const [tag, type, key, , numel] = id instanceof PickleTuple && id.items.length === 5 ? id.items : [];
    const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES.get(type.name) : undefined;
    if (tag !== 'storage' || !dtype || typeof key !== 'string' || !isCount(numel)) {
      this.fail("a persistent id that is not ('storage', type, key, device, numel)");
    }
    this.push(new StorageRef(dtype, key, numel));
  }

  /** `torch` hangs a `_metadata` attribute on the state dict; it says nothing about the tensors. */
  build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof PickleDict) || !target.ordered)
      this.fail('it sets attributes of something else than an OrderedDict');
  }
}

/** What each opcode does, under its name in `pickletools`. */
const STEPS: ReadonlyMap<number, (machine: Machine) => void> = new Map<number, (machine: Machine) => void>([
  [0x28, (m) => m.mark()], // MARK
  [0x29, (m) => m.tuple(0)], // EMPTY_TUPLE
  [0x85, (m) => m.tuple(1)], // TUPLE1
  [0x86, (m) => m.tuple(2)], // TUPLE2
  [0x87, (m) => m.tuple(3)], // TUPLE3
  [0x74, (m) => m.push(new PickleTuple(m.popMark()))], // TUPLE
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x61, (m) => m.append([m.pop()])], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x7d, (m) => m.push(new PickleDict(false))], // EMPTY_DICT
  [0x73, (m) => m.setItems([m.pop(), m.pop()].reverse())], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.u8())], // BININT1
  [0x4d, (m) => m.push(m.u16())], // BININT2
  [0x4a, (m) => m.push(m.i32())], // BININT
  [0x8a, (m) => m.push(m.long())], // LONG1
  [0x47, (m) => m.push(m.f64())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.u32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.u8()))], // SHORT_BINUNICODE
  [0x71, (m) => m.put(m.u8())], // BINPUT
  [0x72, (m) => m.put(m.u32())], // LONG_BINPUT
  [0x94, (m) => m.put()], // MEMOIZE
  [0x68, (m) => m.get(m.u8())], // BINGET
  [0x6a, (m) => m.get(m.u32())], // LONG_BINGET
  [0x63, (m) => m.global(m.line(), m.line())], // GLOBAL
  [0x93, (m) => m.stackGlobal()], // STACK_GLOBAL
  [0x95, (m) => m.frame()], // FRAME
  [0x52, (m) => m.reduce()], // REDUCE
  [0x51, (m) => m.persistentId()], // BINPERSID
  [0x62, (m) => m.build()], // BUILD
]);

/**
 * The value of a pickle; `file` is what messages call it.
 * @throws UserError for any opcode or name that a state dict does not need, and for a damaged or outsized
 * pickle
 */
export function readPickle(bytes: Uint8Array, file: string): PickleValue {
  if (bytes.length > MAX_PICKLE_BYTES) {
    throw new UserError(
      `${file}: its pickle has ${bytes.length} bytes, more than any checkpoint (${MAX_PICKLE_BYTES}).`,
    );
  }
  return new Machine(bytes, file).run();
}
