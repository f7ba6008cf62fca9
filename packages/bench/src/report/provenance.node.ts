/** Where and with what a measurement was made, without which numbers cannot be compared. Node only. */
import { loadavg } from 'node:os';
import type { Device } from '@hrm-webgpu/core';
import { type Environment, environmentOf } from 'hrm-webgpu/node';

export interface Provenance extends Environment {
  date: string;
  /** Processes that wanted to run, on average over the last minute; always 0 on Windows. */
  load: number;
  /** Kernels that are not the engine's own: `add, matmul from my-kernels`. */
  shaders?: string;
  /** What the person who measured wants to say of the machine. */
  note?: string;
}

/** @param shaders the folder that the device's shaders come from, where there is one */
export function provenance(
  device: Device,
  { note, shaders }: { note?: string; shaders?: string },
): Provenance {
  return {
    date: new Date().toISOString(),
    ...environmentOf(device),
    load: loadavg()[0],
    ...(shaders === undefined
      ? {}
      : { shaders: `${[...(device.shaders?.keys() ?? [])].join(', ')} from ${shaders}` }),
    ...(note === undefined ? {} : { note }),
  };
}

/** The machine in one line. */
export function formatProvenance(environment: Provenance): string {
  const { node, webgpu, cpu, load, version, commit, shaders, note } = environment;
  const versions = `Node ${node} · webgpu ${webgpu} · hrm-webgpu ${version}${commit ? `, commit ${commit}` : ''}`;
  const others = [shaders, note].filter((text) => text !== undefined);
  return [nameOf(environment), `${cpu}, load ${load.toFixed(1)}`, versions, ...others].join(' · ');
}

/** What the adapter is called: by its driver, or as much as there is. */
export function nameOf({ adapter }: Pick<Provenance, 'adapter'>): string {
  return adapter.description || adapter.device || adapter.vendor || 'an adapter without a name';
}
