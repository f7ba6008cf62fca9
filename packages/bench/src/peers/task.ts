import type { Candidate } from '../timing/timing.ts';
import type { HostTensor } from './tensor-json.ts';

export type PeerName = 'jax-js' | 'tfjs';

/** One computation, ours ready to run and the peers' described. */
export interface Task extends Candidate {
  /** What the workers call it (`packages/bench/peers`), and what it depends on besides its inputs. */
  peerTask: { name: 'matmul' | 'attention' | 'training'; params: object };
  /** The inputs, for the peers. */
  tensors: Readonly<Record<string, HostTensor>>;
  /** Computes once and reads the results, by the names that the peers give them. */
  results(): Promise<Record<string, Result>>;
  /** Allowed difference between ours and a peer's results, relative to the result's `scale`. */
  tolerance: number;
  /** Whether GPU memory is compared as well, and how many times ours the peer's must be. */
  memoryGoal?: number;
  dispose(): void;
}

export interface Result {
  data: ArrayLike<number>;
  /** What errors are relative to; the largest magnitude in `data` where it is not given. */
  scale?: number;
}

/** Tasks that are timed in the same rounds, and share a control. */
export interface Part {
  name: string;
  /** Who takes part. */
  peers: readonly PeerName[];
  /** How many times as fast as a peer ours must be; a peer without one is only shown. */
  goals: Partial<Record<PeerName, number>>;
  tasks(): Promise<Task[]>;
  /** What is timed against itself where the quickest of the tasks is too long to be timed a hundred times. */
  control?(): Promise<Candidate & { dispose(): void }>;
}
