// The page of parity.test.ts: runs a fixture in the browser, with the engine that users get, on the GPU that
// `openDevice` finds there.
import { type AdapterDescription, openDevice, UserError } from '@hrm-webgpu/core';
import { bytesSource } from '../../packages/hrm/src/formats/byte-source.ts';
import type { ParityRow } from '../../packages/hrm/src/parity/comparison.ts';
import { type OpenFile, openFixture } from '../../packages/hrm/src/parity/fixture.ts';
import { runParity } from '../../packages/hrm/src/parity/parity.ts';

/** What the page found; `error` when it was a message for the user. */
export type PageReport = { adapter: AdapterDescription; rows: ParityRow[] } | { error: string };

declare global {
  interface Window {
    /** Runs the parts of the fixture that the page's server offers. */
    parity(parts: string[]): Promise<PageReport>;
  }
}

const fetchFile: OpenFile = async (name) => {
  const response = await fetch(name);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return bytesSource(new Uint8Array(await response.arrayBuffer()), name);
};

window.parity = async (parts) => {
  try {
    const device = await openDevice();
    const fixture = await openFixture(fetchFile);
    const rows = await runParity(device, fixture, parts);
    await fixture.close();
    device.close();
    return { adapter: device.adapter, rows };
  } catch (error) {
    if (error instanceof UserError) return { error: error.message };
    throw error;
  }
};
