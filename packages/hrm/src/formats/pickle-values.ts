/** What a checkpoint's pickle can hold, see `pickle.ts`. */

import type { DType } from './tensor-file.ts';

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
