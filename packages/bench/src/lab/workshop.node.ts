/** Runs edited kernels in a process of their own, and stops it when one takes too long. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';
import type { TryReply, TryRequest } from './workshop-process.node.ts';

const PROCESS = fileURLToPath(new URL('./workshop-process.node.js', import.meta.url));

/** What came of trying a kernel. */
export interface Tried extends Omit<TryReply, 'id'> {
  ms: number;
  /** It did not end in time, or took the process with it. */
  stopped?: boolean;
}

export class Workshop {
  private child: ChildProcess | undefined;
  private nextId = 1;

  /** @param environment of the process, beside that of this one: `HRM_ADAPTER_CLASS`, what an adapter goes by */
  constructor(private readonly environment: Record<string, string> = {}) {}

  /** Tries a kernel with another text; what takes longer than `limitMs` is stopped. */
  async try(request: Omit<TryRequest, 'id'>, limitMs: number): Promise<Tried> {
    const child = await this.ready();
    const id = this.nextId++;
    const start = performance.now();
    return new Promise((resolve) => {
      const end = (reply: Partial<Tried>) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve({ cases: 0, margin: 0, ...reply, ms: performance.now() - start });
      };
      const stop = (problem: string) => {
        this.close();
        end({ problem, stopped: true });
      };
      const timer = setTimeout(() => stop(`does not end within ${Math.round(limitMs / 1000)} s`), limitMs);
      child.on('message', (reply: TryReply) => reply.id === id && end(reply));
      child.on('exit', (code, signal) => stop(`ends the process (${signal ?? code})`));
      child.send({ ...request, id });
    });
  }

  close(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  /** @throws UserError when the process does not start: there is no adapter */
  private async ready(): Promise<ChildProcess> {
    if (this.child?.connected) return this.child;
    const child = fork(PROCESS, {
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child = child;
    let said = '';
    child.stderr?.on('data', (text) => {
      said = (said + text).slice(-2000);
    });
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) =>
        reject(new UserError(`the lab's process ended (${code}): ${said.trim()}`)),
      );
    });
    child.removeAllListeners('exit');
    return child;
  }
}
