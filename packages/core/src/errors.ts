import { printable } from './printable.ts';

/**
 * A mistake that the person at the keyboard can mend: a bad file, shape, option or machine.
 *
 * The message names the op or file, what was found, what was expected and what to do. Programs print
 * `message` alone, without a stack trace, and exit with a non-zero code.
 */
export class UserError extends Error {
  override readonly name: string = 'UserError';

  /** @param message names in it may come from anywhere: what would steer a terminal is escaped */
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

/** The GPU device is gone (driver reset, unplugged, destroyed). What was saved before is intact. */
export class DeviceLostError extends UserError {
  override readonly name = 'DeviceLostError';
}

/** WebGPU reported an error for work that was already submitted: a defect in a kernel or in its call. */
export class GpuError extends Error {
  override readonly name = 'GpuError';
}
