/** Runs edited kernels in a process of their own, and stops it when one takes too long. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';
import type { Answer, Exchanges } from './workshop-process.node.ts';

const PROCESS = fileURLToPath(new URL('./workshop-process.node.js', import.meta.url));

/** Of no use to anyone. */
const DAWN_REMARKS = /^Warning: maxDynamic.*\n/gm;

/** Why a process did not start: of an error with its stack, as a definition that throws makes, what it says and where. */
function reasonIn(said: string): string {
  const [, message] = said.match(/^(\w*Error: .*)$/m) ?? [];
  const [, place] = said.match(/^ +at .*?packages\/(\S+?:\d+)/m) ?? [];
  return message && place ? `packages/${place} throws ${message}` : said.trim();
}

/** How the failure of a kernel begins that takes too long. */
export const ENDLESS = 'does not end';

/** What came of a request. */
export interface Outcome<R> {
  reply?: R;
  /** Why there is no reply: the kernel fails the device, does not end in time, or takes the process with it. */
  failure?: string;
  /** It was cancelled. */
  cancelled?: boolean;
  /** The process had to be stopped. */
  stopped?: boolean;
  ms: number;
}

export class Workshop {
  private child: ChildProcess | undefined;
  private nextId = 1;

  /** @param environment of the process, beside that of this one: `HRM_ADAPTER_CLASS`, what an adapter goes by */
  constructor(private readonly environment: Record<string, string> = {}) {}

  /** Asks for something; what takes longer than `limitMs` is stopped, with the process. */
  async ask<K extends keyof Exchanges>(
    kind: K,
    request: Exchanges[K]['request'],
    limitMs: number,
  ): Promise<Outcome<Exchanges[K]['reply']>> {
    const child = await this.ready();
    const id = this.nextId++;
    const start = performance.now();
    return new Promise((resolve) => {
      const end = (outcome: Omit<Outcome<Exchanges[K]['reply']>, 'ms'>) => {
        clearTimeout(timer);
        child.off('message', heard);
        child.off('exit', gone);
        resolve({ ...outcome, ms: performance.now() - start });
      };
      const heard = (answer: Answer) => {
        if (answer.id === id) end(answer as Omit<Outcome<Exchanges[K]['reply']>, 'ms'>);
      };
      const gone = (code: number | null, signal: string | null) => {
        this.close();
        end({ failure: `ends the process (${signal ?? code})`, stopped: true });
      };
      const timer = setTimeout(() => {
        this.close();
        end({ failure: `${ENDLESS} within ${Math.round(limitMs / 1000)} s`, stopped: true });
      }, limitMs);
      child.on('message', heard);
      child.on('exit', gone);
      child.send({ kind, id, request });
    });
  }

  /** Stops what is under way, as soon as the GPU is done with it. */
  cancel(): void {
    if (this.child?.connected) this.child.send({ kind: 'cancel' });
  }

  /** Ends the process. */
  close(): void {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  /** @throws UserError when the process does not start: there is no adapter */
  private async ready(): Promise<ChildProcess> {
    if (this.child?.connected) return this.child;
    const child = fork(PROCESS, {
      env: { ...process.env, ...this.environment },
      execArgv: [...process.execArgv, '--enable-source-maps'], // places in a definition, not in what is built of it
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child = child;
    let said = '';
    child.stderr?.on('data', (text) => {
      said = (said + text).replace(DAWN_REMARKS, '').slice(-2000);
    });
    await new Promise<void>((resolve, reject) => {
      const failed = (code: number | null) =>
        reject(new UserError(reasonIn(said) || `the lab's process ended (${code})`));
      child.once('exit', failed);
      child.once('message', () => {
        child.off('exit', failed);
        resolve();
      });
    });
    return child;
  }
}
