/** Where and with what something was computed, without which figures and bits cannot be compared. Node only. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release } from 'node:os';
import type { AdapterDescription, Device } from '@hrm-webgpu/core';
import { inCheckout } from './checkout.node.ts';

export interface Environment {
  /** `description` names the driver and its version. */
  adapter: AdapterDescription;
  node: string;
  /** Version of the npm package `webgpu` (Dawn). */
  webgpu: string;
  /** Platform, version of its kernel to the minor one, architecture. */
  os: string;
  cpu: string;
  /** Of hrm-webgpu. */
  version: string;
  /** Of this checkout, with `+` when files differ from it; null outside a checkout. */
  commit: string | null;
}

export function environmentOf({ adapter }: Pick<Device, 'adapter'>): Environment {
  const processors = cpus();
  return {
    adapter,
    node: process.versions.node,
    webgpu: versionOf('webgpu/package.json'),
    os: `${process.platform} ${release().match(/^\d+(\.\d+)?/)?.[0] ?? ''} ${process.arch}`,
    cpu: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    version: version(),
    commit: inCheckout ? commit() : null,
  };
}

/** Of hrm-webgpu. */
export const version = () => versionOf('../../package.json');

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
