/** What the page asks of the worker that reads files, and what it is told. */
import type { DatasetMetadata, Task } from 'hrm-webgpu';
import type { Examined, TensorSums } from 'hrm-webgpu/inside';
import type { SetSizes } from './examples.ts';

export interface CheckpointShown extends Examined {
  bytes: number;
  /** Free text that the file carries beside its tensors. */
  metadata: Readonly<Record<string, string>>;
}

export interface SplitShown {
  bytes: number;
  metadata: DatasetMetadata;
  task: Task;
  /** Whether only the sizes say what the grids mean. */
  guessed: boolean;
  sets: SetSizes[];
}

/** A tensor's sums, as they are known: `index` is its place in the table. */
export type OnSums = (index: number, sums: TensorSums) => void;
