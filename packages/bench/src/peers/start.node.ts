/** Starts the peers' processes. Node only. */
import { join } from 'node:path';
import { type AdapterDescription, UserError } from '@hrm-webgpu/core';
import type { Contestant } from './contest.ts';
import { installPeers, PEERS_FOLDER } from './install.node.ts';
import { type Hello, PeerProcess } from './peer-process.node.ts';
import type { PeerName } from './task.ts';

/** Workers and the packages they load, for the record. */
export interface StartedPeers {
  contestants: Contestant[];
  close(): Promise<void>;
}

/**
 * Installs the peers where they are not, and starts one process each.
 *
 * @throws UserError when one does not start, or has another adapter than `adapter`
 */
export async function startPeers(
  names: readonly PeerName[],
  adapter: AdapterDescription,
  note: (text: string) => void,
): Promise<StartedPeers> {
  const node = await installPeers(note);
  const contestants: Contestant[] = [];
  const close = async () => {
    await Promise.all(contestants.map(({ process }) => process.close()));
  };
  try {
    for (const name of names) {
      const process = await PeerProcess.start(name, [node, join(PEERS_FOLDER, `${name}.mjs`)]);
      contestants.push({ name, process });
      expectSameAdapter(name, process.hello, adapter);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { contestants, close };
}

/** @throws UserError when the adapters differ: then it would be they that are compared */
export function expectSameAdapter(name: string, { adapter }: Hello, ours: AdapterDescription): void {
  const keys = ['vendor', 'architecture', 'device', 'description'] as const;
  const describe = (of: Hello['adapter']) => keys.map((key) => of[key]).join(' / ');
  if (describe(adapter) === describe(ours)) return;
  throw new UserError(
    `${name} runs on another adapter than hrm-webgpu: ${describe(adapter)} instead of ${describe(ours)}. ` +
      'Nothing was timed.',
  );
}
