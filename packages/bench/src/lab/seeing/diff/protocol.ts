/** What `lab diff` and the process of a side tell each other. Builds that are compared must have the same version of it. */
import type { DType, ParamValues, Shape } from '@hrm-webgpu/core';
import type { StepChoice } from '../step/model-step.ts';

export const PROTOCOL = 1;

/** What a side is started with. */
export interface SideRequest {
  choice: StepChoice;
  shaders?: string;
  eager: boolean;
  /** Steps that are made before anybody looks. */
  step: number;
}

/** A tensor that a side writes. */
export interface SideOutput {
  name: string;
  launch: number;
  kernel: string;
  params: ParamValues;
  binding: string;
  shape: Shape;
  dtype: DType;
}

export type ToSide =
  | { kind: 'start'; request: SideRequest }
  /** Makes the step and tells of these outputs, in its order. */
  | { kind: 'walk'; names: readonly string[] }
  /** Goes on to the next of them. */
  | { kind: 'next' }
  /** Sends what is in the one that it told of. */
  | { kind: 'contents' };

export type FromSide =
  | { kind: 'ready'; protocol: number; adapter: string; title: string; outputs: readonly SideOutput[] }
  | { kind: 'output'; name: string; digest: string }
  | { kind: 'contents'; words: Uint32Array }
  | { kind: 'end' }
  | { kind: 'failure'; message: string };
