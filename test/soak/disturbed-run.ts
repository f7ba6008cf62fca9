/** Training runs by the command that are disturbed again and again, and what they come to. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Philox } from '../../packages/core/src/index.ts';
import { type HrmResult, hrm } from '../run-hrm.ts';
import { TINY, writeSmallDataset } from '../small-dataset.ts';

/** `npm run soak` takes more of it. */
export const IS_SOAK = import.meta.env.MODE === 'soak';

const STEPS = 90;
/** A process that is still there after this hangs. */
const PATIENCE_MS = 120_000;
/** Saving takes some milliseconds: writes that wait let a signal fall into it as often as not. */
const SLOW_WRITES = `
  import { open } from 'node:fs/promises';
  const handle = await open(process.execPath);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { write, sync } = prototype;
  const late = (original) => async function (...all) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    return original.apply(this, all);
  };
  prototype.write = late(write);
  prototype.sync = late(sync);`;

export interface Disturbance {
  /** Sent after so many milliseconds, or once a condition holds. */
  signal?: NodeJS.Signals;
  afterMs?: number;
  once?: () => boolean;
  /** The text of a module that is loaded before the command. */
  module?: string;
  slowWrites?: boolean;
}

/** What a run leaves that must not depend on what disturbed it. */
interface Trace {
  tensors: string;
  log: string[];
}

/** A folder in which runs are made, all alike. */
export class Soak {
  readonly random: Philox;
  /** What an undisturbed run takes here, in ms: faults come within it. */
  spanMs = 0;
  private readonly folder = mkdtempSync(join(tmpdir(), 'hrm-soak-'));
  private expected: Trace | undefined;
  private runs = 0;

  constructor(seed: number) {
    this.random = new Philox(seed, 0);
  }

  async prepare(): Promise<void> {
    await writeSmallDataset(join(this.folder, 'data'));
    const run = this.begin();
    expectEnd(await run.go());
    this.expected = run.trace();
    // The first has compiled what the others find in a cache.
    const start = performance.now();
    const again = this.begin();
    expectEnd(await again.go());
    this.spanMs = performance.now() - start;
    this.end(again);
  }

  /** Another run in a folder of its own. */
  begin(): DisturbedRun {
    const name = `run-${this.runs++}`;
    const start = [
      ...['train', '--preset', 'demo-4x4', '--data', join(this.folder, 'data'), '--no-tune', ...TINY],
      ...['--steps', String(STEPS), '--eval-every', '30', '--eval-split', 'validation', '--save-every', '9'],
    ];
    return new DisturbedRun(join(this.folder, name), start);
  }

  /** @throws Error where a run is not, to the bit, what an undisturbed one is; its folder goes where it is */
  end(run: DisturbedRun): void {
    const { tensors, log } = this.expected as Trace;
    const found = run.trace();
    if (found.tensors !== tensors) throw new Error(`${run.out}: other tensors than undisturbed`);
    for (let i = 0; i < Math.max(log.length, found.log.length); i++)
      if (found.log[i] !== log[i])
        throw new Error(`${run.out}: line ${i + 1} of its log is\n${found.log[i]}, undisturbed\n${log[i]}`);
    const left = readdirSync(run.out).filter((name) => /tmp|unfinished|lock/.test(name));
    if (left.length > 0) throw new Error(`${run.out}: holds ${left}`);
    rmSync(run.out, { recursive: true });
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}

export class DisturbedRun {
  constructor(
    readonly out: string,
    private readonly start: readonly string[],
  ) {}

  /** Whether it goes on from a checkpoint; a kill may fall between its two names. */
  get isSaved(): boolean {
    return this.checkpoints.length > 0 || existsSync(join(this.out, 'checkpoint.safetensors'));
  }

  /** Whether the last checkpoint is there. */
  get isDone(): boolean {
    return (
      existsSync(join(this.out, `checkpoint-${STEPS}.safetensors`)) && !existsSync(join(this.out, 'lock'))
    );
  }

  /** The steps whose checkpoints it could go on from. */
  get checkpoints(): number[] {
    if (!existsSync(this.out)) return [];
    return readdirSync(this.out).flatMap((name) => {
      const [, step] = name.match(/^checkpoint-(\d+)\.safetensors$/) ?? [];
      return step === undefined ? [] : [Number(step)];
    });
  }

  /** Files that a killed process left half-written. */
  get unfinished(): number {
    return existsSync(this.out) ? readdirSync(this.out).filter((name) => /\.tmp$/.test(name)).length : 0;
  }

  /** Starts it, or goes on with it, until it ends or the disturbance ends it. */
  async go({ signal, afterMs = 0, once, module, slowWrites }: Disturbance = {}): Promise<HrmResult> {
    const args = this.isSaved ? ['train', '--resume'] : this.start;
    const text = `${module ?? ''}\n${slowWrites ? SLOW_WRITES : ''}`;
    let env: NodeJS.ProcessEnv | undefined;
    if (text.trim()) {
      const file = `${this.out}.mjs`;
      writeFileSync(file, text);
      env = { NODE_OPTIONS: `--import ${file}` };
    }
    let hangs = false;
    const timers: NodeJS.Timeout[] = [];
    const result = await hrm([...args, '--out', this.out], {
      env,
      onStart: (kill) => {
        if (signal && once) {
          const watch = setInterval(() => {
            if (!once()) return;
            clearInterval(watch);
            kill(signal);
          }, 10);
          timers.push(watch);
        } else if (signal) timers.push(setTimeout(() => kill(signal), afterMs));
        timers.push(
          setTimeout(() => {
            hangs = true;
            kill('SIGKILL');
          }, PATIENCE_MS),
        );
      },
    });
    for (const timer of timers) clearTimeout(timer);
    if (hangs) throw new Error(`${this.out}: did not end in ${PATIENCE_MS} ms:\n${result.stderr}`);
    return result;
  }

  trace(): Trace {
    const bytes = readFileSync(join(this.out, 'checkpoint.safetensors'));
    const tensors = bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
    const log = readFileSync(join(this.out, 'log.jsonl'), 'utf8').trim().split('\n');
    return {
      tensors: tensors.toString('hex'),
      log: log.map((line) => JSON.stringify({ ...JSON.parse(line), time: '' })),
    };
  }
}

/** @throws Error unless the command ended well */
export function expectEnd({ code, stderr }: HrmResult): void {
  if (code !== 0) throw new Error(`ended with ${code}:\n${stderr}`);
}

/** @throws Error where a command ended by a mistake in the program */
export function expectNoCrash({ stderr }: HrmResult): void {
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) throw new Error(`a crash:\n${stderr}`);
}
