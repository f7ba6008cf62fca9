/** What a checkpoint's pickle can hold, see `pickle.ts`. */

import type { DType } from '../dtype.ts';

/** A Python value. Lists are arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | StorageRef
  | TensorRef;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A `dict`, or an `OrderedDict` if `ordered`. */
export class PickleDict {
  readonly entries = new Map<string | number, PickleValue>();
  constructor(readonly ordered: boolean) {}
}

/** One of the allowed names, such as `torch.FloatStorage`. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

/** A storage: `numel` elements of `dtype` in the archive's entry `data/<key>`. */
export class StorageRef {
  constructor(
    readonly dtype: DType,
    readonly key: string,
    readonly numel: number,
  ) {}
}

/** A strided view of a storage; `offset` and `stride` count elements. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

/** The dtypes of PyTorch's storages. */
export const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** The callables of a state dict. */
export const ORDERED_DICT = 'collections.OrderedDict';
export const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
export const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
export const CALLABLES: readonly string[] = [ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER];
