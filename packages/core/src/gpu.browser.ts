import { UserError } from './errors.ts';

/** A GPU adapter together with the instance that must outlive it. */
export interface OpenedAdapter {
  instance: GPU;
  adapter: GPUAdapter;
  adapterClass?: undefined;
}

/**
 * Asks the browser for the adapter that suits computing best.
 *
 * @throws UserError when this browser or page has no WebGPU, or there is no adapter
 */
export async function openAdapter(): Promise<OpenedAdapter> {
  const instance = navigator.gpu;
  if (!instance) {
    throw new UserError(
      globalThis.isSecureContext === false
        ? 'No WebGPU on this page: it needs a secure context. Serve the page over https or from localhost.'
        : 'No WebGPU in this browser: use a current Chrome, Edge, Firefox or Safari with WebGPU switched on.',
    );
  }
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return { instance, adapter };
  throw new UserError(
    'This browser has WebGPU but found no adapter. Check chrome://gpu (or about:support): the graphics driver ' +
      'may be blocked or hardware acceleration switched off.',
  );
}

/** Not told in browsers. */
export function freeMemory(): undefined {
  return undefined;
}

/** Browsers wait for the GPU by themselves. */
export function resting<T>(promise: Promise<T>): Promise<T> {
  return promise;
}
