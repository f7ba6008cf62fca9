/** Starts a worker. */
import { type Remote, wrap } from 'comlink';
import type { Role } from '../worker.ts';

export interface Started<C> {
  worker: Worker;
  remote: Remote<C>;
}

/** A worker for a role, and its commands. */
export function startWorker<C>(role: Role): Started<C> {
  const worker = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: role });
  return { worker, remote: wrap<C>(worker) };
}
