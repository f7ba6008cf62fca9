/** Where and with what a measurement was made, without which numbers cannot be compared. Node only. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release } from 'node:os';
import type { AdapterDescription, Device } from '@hrm-webgpu/core';
import { inCheckout } from './checkout.node.ts';

export interface Provenance {
  date: string;
  /** `description` names the driver and its version. */
  adapter: AdapterDescription;
  node: string;
  /** Version of the npm package `webgpu` (Dawn). */
  webgpu: string;
  /** Platform, version of its kernel to the minor one, architecture. */
  os: string;
  cpu: string;
  /** Processes that wanted to run, on average over the last minute; always 0 on Windows. */
  load: number;
  /** Of hrm-webgpu. */
  version: string;
  /** Of this checkout, with `+` when files differ from it; null outside a checkout. */
  commit: string | null;
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
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    adapter: device.adapter,
    node: process.versions.node,
    webgpu: versionOf('webgpu/package.json'),
    os: `${process.platform} ${release().match(/^\d+(\.\d+)?/)?.[0] ?? ''} ${process.arch}`,
    cpu: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    load: loadavg()[0],
    version: versionOf('../../package.json'),
    commit: inCheckout ? commit() : null,
    ...(shaders === undefined
      ? {}
      : { shaders: `${[...(device.shaders?.keys() ?? [])].join(', ')} from ${shaders}` }),
    ...(note === undefined ? {} : { note }),
  };
}

function versionOf(manifest: string): string {
  const file = createRequire(import.meta.url).resolve(manifest);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

function commit(): string | null {
  const head = git('rev-parse', '--short=12', 'HEAD');
  return head && head + (git('status', '--porcelain') ? '+' : '');
}

/** What git says, or null where there is no git or no checkout. */
function git(...words: string[]): string | null {
  const run = spawnSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' });
  return run.status === 0 ? run.stdout.trim() : null;
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
