import { UserError } from './errors.ts';

/**
 * The `GPU` entry point in a browser: `navigator.gpu`.
 *
 * @throws UserError when this browser or page has no WebGPU
 */
export async function openGpu(): Promise<GPU> {
  if (navigator.gpu) return navigator.gpu;
  throw new UserError(
    globalThis.isSecureContext === false
      ? 'No WebGPU on this page: it needs a secure context. Serve the page over https or from localhost.'
      : 'No WebGPU in this browser: use a current Chrome, Edge, Firefox or Safari with WebGPU switched on.',
  );
}

/** What to do when there is no adapter on this machine. */
export const NO_ADAPTER_REMEDY =
  'Check chrome://gpu (or about:support): WebGPU must be enabled and the graphics driver not blocked.';
