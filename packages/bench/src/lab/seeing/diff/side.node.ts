/** One side of `lab diff`, from the outside. */
import { type ChildProcess, fork } from 'node:child_process';
import { UserError } from '@hrm-webgpu/core';
import { type FromSide, PROTOCOL, type SideOutput, type SideRequest, type ToSide } from './protocol.ts';
import type { Variant } from './variants.ts';

type Heard<K extends FromSide['kind']> = Extract<FromSide, { kind: K }>;

/** From one message to the next, compiling a large model included. */
const LIMIT_MS = 300_000;

export class Side {
  private readonly child: ChildProcess;
  private readonly told: FromSide[] = [];
  private wake: (() => void) | undefined;
  private said = '';
  adapter = '';
  title = '';
  outputs: readonly SideOutput[] = [];

  constructor(readonly variant: Variant) {
    this.child = fork(variant.script, {
      env: { ...process.env, ...variant.environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.child.stderr?.on('data', (text) => {
      this.said = (this.said + text).slice(-2000);
    });
    this.child.on('message', (message: FromSide) => this.hear(message));
    this.child.on('exit', (code, signal) =>
      this.hear({ kind: 'failure', message: `its process ended (${signal ?? code}): ${this.said.trim()}` }),
    );
  }

  /** Has the steps before made. */
  async start(request: Omit<SideRequest, 'shaders' | 'eager'>): Promise<void> {
    const { shaders, eager } = this.variant;
    this.tell({ kind: 'start', request: { ...request, shaders, eager } });
    const { protocol, adapter, title, outputs } = await this.expect('ready');
    if (protocol !== PROTOCOL)
      throw new UserError(
        `${this.variant.name}: its build is of another version, which this one cannot be compared with`,
      );
    Object.assign(this, { adapter, title, outputs });
  }

  /** Begins the step; outputs of these names are told of. */
  walk(names: readonly string[]): void {
    this.tell({ kind: 'walk', names });
  }

  /** The next output; undefined after the last. */
  async output(): Promise<Heard<'output'> | undefined> {
    const message = await this.expect('output', 'end');
    return message.kind === 'output' ? message : undefined;
  }

  async contents(): Promise<Uint32Array> {
    this.tell({ kind: 'contents' });
    return (await this.expect('contents')).words;
  }

  /** Lets it go on. */
  next(): void {
    this.tell({ kind: 'next' });
  }

  close(): void {
    this.child.removeAllListeners('exit');
    this.child.kill('SIGKILL');
  }

  private tell(message: ToSide): void {
    if (this.child.connected) this.child.send(message);
  }

  private hear(message: FromSide): void {
    this.told.push(message);
    this.wake?.();
  }

  /** @throws UserError with what went wrong on that side */
  private async expect<K extends FromSide['kind']>(...kinds: readonly K[]): Promise<Heard<K>> {
    const late = setTimeout(
      () =>
        this.hear({
          kind: 'failure',
          message: `does nothing for ${LIMIT_MS / 1000} s: a kernel may not end`,
        }),
      LIMIT_MS,
    );
    while (this.told.length === 0)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    clearTimeout(late);
    const message = this.told.shift() as FromSide;
    if (message.kind === 'failure') throw new UserError(`${this.variant.name}: ${message.message}`);
    if (kinds.includes(message.kind as K)) return message as Heard<K>;
    throw new Error(`${this.variant.name} told '${message.kind}' where ${kinds.join(' or ')} was expected`);
  }
}
