import { UserError } from '@hrm-webgpu/core';

/** A model's weights, or what it computes with them, are no finite numbers any more: nothing may be saved of them. */
export class NotFiniteError extends UserError {
  override readonly name = 'NotFiniteError';
}
