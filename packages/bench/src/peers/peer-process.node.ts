/** A peer in a process of its own, which dies with this one. Node only. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { type AdapterDescription, UserError } from '@hrm-webgpu/core';
import { decodeTensor, type EncodedTensor, encodeTensor, type HostTensor, mapValues } from './tensor-json.ts';

/** What a worker says when it is ready. */
export interface Hello {
  adapter: Pick<AdapterDescription, 'vendor' | 'architecture' | 'device' | 'description'>;
  version: string;
}

/** What a peer took for the runs asked for. */
export interface PeerRun {
  ms: number;
  /** The most bytes of GPU buffers that existed during the runs. */
  peakBytes: number;
}

interface Pending {
  what: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The first call of a large graph takes half a minute to compile where the adapter is a CPU. */
const TIMEOUT_MS = 600_000;
const STDERR_KEPT = 2000;
/** A warning of Dawn's that nobody can act on. */
const NOISE = /artificially reduced/;

export class PeerProcess {
  hello!: Hello;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private stderr = '';
  private failure: UserError | undefined;
  private readonly exited: Promise<void>;
  private readonly killAtExit = () => this.child.kill('SIGKILL');

  private constructor(
    readonly name: string,
    [command, ...args]: readonly string[],
    private readonly timeoutMs: number,
  ) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // A worker also ends when its stdin does: that covers the ends of this process at which no handler runs.
    process.once('exit', this.killAtExit);
    this.child.stdin.on('error', () => {}); // a dead child; `close` says so with the reason
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.receive(line));
    this.exited = new Promise((resolve) => {
      this.child.on('error', (error) => this.fail(`could not be started: ${error.message}`));
      this.child.on('close', (code, signal) => {
        this.fail(`its process ended (${signal ?? `exit code ${code}`})`);
        process.off('exit', this.killAtExit);
        resolve();
      });
    });
  }

  /**
   * Starts a worker and waits for its greeting.
   *
   * @param command the program and its arguments
   * @throws UserError when it does not start, with the end of what it said on stderr
   */
  static async start(name: string, command: readonly string[], timeoutMs = TIMEOUT_MS): Promise<PeerProcess> {
    const peer = new PeerProcess(name, command, timeoutMs);
    const hello = peer.wait(0, 'start');
    try {
      peer.hello = (await hello) as Hello;
    } catch (error) {
      await peer.close();
      throw error;
    }
    return peer;
  }

  /** Has a task computed once, which compiles it, and kept under `key`. Returns the results by name. */
  async prepare(
    key: string,
    task: string,
    params: object,
    tensors: Readonly<Record<string, HostTensor>>,
  ): Promise<Record<string, HostTensor>> {
    const request = { key, task, params, tensors: mapValues(tensors, encodeTensor) };
    return mapValues((await this.ask('prepare', request)) as Record<string, EncodedTensor>, decodeTensor);
  }

  /** Has a prepared task computed `times` times. */
  async run(key: string, times: number): Promise<PeerRun> {
    return (await this.ask('run', { key, times })) as PeerRun;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.failure ??= new UserError(`${this.name}: closed`);
    this.child.kill('SIGKILL');
    if (this.child.pid !== undefined) await this.exited;
    process.off('exit', this.killAtExit);
  }

  private ask(call: string, request: object): Promise<unknown> {
    const id = this.nextId++;
    const answer = this.wait(id, call);
    this.child.stdin.write(`${JSON.stringify({ id, call, ...request })}\n`);
    return answer;
  }

  private wait(id: number, what: string): Promise<unknown> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.fail(`no answer to '${what}' within ${this.timeoutMs / 1000} s`);
        this.child.kill('SIGKILL');
      }, this.timeoutMs);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.pending.delete(id);
          then(value);
        };
      this.pending.set(id, { what, resolve: settle(resolve), reject: settle(reject) });
    });
  }

  private receive(line: string): void {
    let message: { hello?: Hello; id?: number; result?: unknown; error?: string };
    try {
      message = JSON.parse(line);
    } catch {
      this.stderr += `${line}\n`; // something else wrote to stdout
      return;
    }
    const pending = this.pending.get(message.id ?? 0);
    if (message.error === undefined) pending?.resolve(message.hello ?? message.result);
    else pending?.reject(new UserError(`${this.name} failed at '${pending.what}': ${message.error}`));
  }

  /** The first reason counts: later ones follow from it. */
  private fail(reason: string): void {
    const lines = this.stderr.split('\n').filter((line) => line.trim() && !NOISE.test(line));
    const said = lines.length > 0 ? `. The end of what it wrote to stderr:\n${lines.join('\n')}` : '';
    this.failure ??= new UserError(`${this.name}: ${reason}${said}`);
    for (const { reject } of [...this.pending.values()]) reject(this.failure);
  }
}
