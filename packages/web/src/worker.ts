/**
 * All workers of the page are this file, under different names: what they have in common, the engine and its kernels, is fetched
 * once. What each does is in a module of its own.
 */
import { expose } from 'comlink';

const ROLES = {
  think: () => import('./engine/commands.ts'),
  train: () => import('./training/commands.ts'),
  bench: () => import('./bench/commands.ts'),
  measure: () => import('./inside/commands.ts'),
  read: () => import('./reading/commands.ts'),
};

export type Role = keyof typeof ROLES;

// What is said before the module is there waits.
const early: MessageEvent[] = [];
const keep = (event: MessageEvent) => early.push(event);
self.addEventListener('message', keep);

const { commands } = await ROLES[self.name as Role]();
self.removeEventListener('message', keep);
expose(commands);
for (const { data, ports } of early)
  self.dispatchEvent(new MessageEvent('message', { data, ports: [...ports] }));
