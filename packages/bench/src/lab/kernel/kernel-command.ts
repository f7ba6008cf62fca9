import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ConstantValues, UserError } from '@hrm-webgpu/core';
import { checks, tunablesIn } from '@hrm-webgpu/kernels/checks';
import type { Roofline } from '../../timing/roofline.ts';
import type { LabCommand } from '../command.ts';
import { expectRoom, shapeOf } from '../shapes.ts';
import {
  committedShader,
  definitionOf,
  expectCommitted,
  expectKernel,
  readShader,
  rebuild,
  SHADERS,
} from '../sources.node.ts';
import { inWords } from '../trial/trial.ts';
import { Workshop } from '../trial/workshop.node.ts';
import { documentOf } from './document.ts';
import { type Findings, inspect, type Rival } from './inspection.ts';
import { draw, Screen } from './screen.ts';
import { expectConstants, settingsNamed, sweep, sweepTable } from './sweep.ts';
import { watchFiles } from './watch.node.ts';

/** Of one text. */
const TIMING_MS = 1100;
const ONCE_TIMING_MS = 3000;
/** What trying a text may take, compiling included, before anything is known of how long the kernel takes. */
const LIMIT_MS = 60_000;

export const kernelCommand: LabCommand = {
  summary: 'try a kernel on every save: does it compile, is it right, is it faster',
  help: `usage: npm run lab -- <kernel> [--once] [--json] [--shape NAME=N,…] [--against REF] [--limit S]
                               [--shaders DIR] [--adapter NAME] [--tune NAME=N,N,… …]

Watches shaders/<kernel>.wgsl and its definition. On every save: whether it compiles, with the place where it does not;
whether it is right, against float64, with all its indices in bounds, with workgroups and threads in ascending and in
descending order; and how fast it is, by turns with the committed version and with the save before. In one word:
faster, slower, same (the interval of 99 % contains 1, or the change is below 1 %) or wrong. Then all cases, in all
pairs of settings, until the next save.

  --once         once, without watching; exit code 0 where it is right, 1 where it is not or does not compile
  --json         with --once: one JSON document
  --shape …      the shape that it is timed at, e.g. m=64,n=128; default one of the published model's
  --against REF  the committed version to time it against; default HEAD
  --limit S      seconds after which a kernel that does not end is stopped; default 60
  --shaders DIR  another folder of shaders
  --adapter NAME the adapter, where there are several: one whose name has this in it
  --tune …       once, in these settings of a constant, as a table; several make all combinations, e.g.
                 --tune ROWS=4,8 --tune PACKS=1,2`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        shape: { type: 'string' },
        against: { type: 'string' },
        shaders: { type: 'string', default: SHADERS },
        limit: { type: 'string' },
        adapter: { type: 'string' },
        tune: { type: 'string', multiple: true, default: [] },
      },
    });
    const [kernel, ...rest] = positionals;
    if (kernel === undefined || rest.length > 0) throw new UserError('give one kernel. See --help.');
    expectKernel(kernel);
    if (values.against !== undefined) await expectCommitted(resolve(values.shaders), kernel, values.against);
    const settings = settingsNamed(values.tune);
    const sweeps = values.tune.length > 0;
    if (values.json && !values.once && !sweeps) throw new UserError('--json needs --once or --tune');
    const bench = new Bench(
      kernel,
      resolve(values.shaders),
      values.against ?? 'HEAD',
      values.shape,
      limitOf(values.limit),
      values.adapter,
    );
    try {
      if (sweeps) return await tune(bench, settings, values.json);
      return values.once ? await once(bench, values.json) : await forever(bench);
    } finally {
      bench.close();
    }
  },
};

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT_MS;
  if (Number(text) > 0) return 1000 * Number(text);
  throw new UserError(`--limit ${text}: expected seconds`);
}

/** One kernel on the bench. */
class Bench {
  readonly workshop: Workshop;
  readonly file: string;
  private roofline: Roofline | undefined;
  private stop = new AbortController();
  /** The save before this one. */
  private before: string | undefined;

  constructor(
    readonly kernel: string,
    private readonly folder: string,
    private readonly ref: string,
    readonly shape: string | undefined,
    readonly limitMs: number,
    adapter: string | undefined,
  ) {
    this.workshop = new Workshop(adapter ? { HRM_ADAPTER: adapter } : {});
    this.file = join(folder, `${kernel}.wgsl`);
    expectRoom(kernel, shapeOf(kernel, shape)); // mistakes in it before anything else
  }

  text(): Promise<string | undefined> {
    return readShader(this.folder, this.kernel);
  }

  async expectText(): Promise<string> {
    const text = await this.text();
    if (text === undefined) throw new UserError(`there is no ${this.file}`);
    return text;
  }

  async inspect(
    text: string,
    timingMs: number,
    stopsFar: boolean,
    onFinding: (findings: Findings) => void,
  ): Promise<Findings | undefined> {
    const { kernel, workshop } = this;
    const refused = this.refusal(text);
    if (refused) {
      const findings: Findings = { kernel, refused, verdict: 'wrong' };
      onFinding(findings);
      return findings;
    }
    const rivals = await this.rivals(text);
    const params = shapeOf(kernel, this.shape);
    const request = {
      kernel,
      text,
      ...rivals,
      params,
      timingMs,
      stopsFar,
      standsIn: this.folder !== SHADERS,
      whole: 'all' as const,
      limitMs: this.limitMs,
      signal: this.stop.signal,
      roofline: this.roofline,
    };
    const findings = await inspect(workshop, request, (news) => onFinding(this.placed(news)));
    this.roofline ??= findings?.roofline;
    if (findings?.verdict && findings.verdict !== 'wrong' && !findings.timing?.isFarSlower)
      this.before = text;
    return findings && this.placed(findings);
  }

  /** What keeps the text from being looked at. */
  private refusal(text: string): string | undefined {
    const { kernel } = this;
    try {
      tunablesIn(kernel, text);
      return undefined;
    } catch (error) {
      return this.placed({ kernel, refused: (error as Error).message }).refused;
    }
  }

  /** With the place of the file in what the compiler says. */
  private placed(findings: Findings): Findings {
    const { refused } = findings;
    const name = `${this.kernel}.wgsl`;
    if (!refused?.startsWith(name)) return findings;
    const here = relative(process.cwd(), this.file);
    return { ...findings, refused: (here.startsWith('..') ? this.file : here) + refused.slice(name.length) };
  }

  /** Stops what is under way. */
  cancel(): void {
    this.workshop.cancel();
    this.stop.abort();
    this.stop = new AbortController();
  }

  close(): void {
    this.stop.abort();
    this.workshop.close();
  }

  /** What it is timed against: in a folder that is in no repository, the checkout's version. */
  private async rivals(text: string): Promise<{ rivals: Rival[]; uncommitted?: string }> {
    const own = await committedShader(this.folder, this.kernel, this.ref);
    const committed = 'text' in own ? own : await committedShader(SHADERS, this.kernel, this.ref);
    const name = this.ref === 'HEAD' ? 'the committed version' : this.ref;
    const { before } = this;
    return {
      rivals: [
        ...('text' in committed ? [{ name, text: committed.text }] : []),
        ...(before !== undefined && before !== text ? [{ name: 'the save before', text: before }] : []),
      ],
      ...('text' in committed ? {} : { uncommitted: committed.missing }),
    };
  }
}

/** What goes on while there is more to find out. */
const busy = ({ covering }: Findings) => (covering ? 'other devices…' : 'more cases…');

/** In other settings, once. */
async function tune(bench: Bench, settings: ConstantValues[], json: boolean): Promise<number> {
  const { kernel, workshop, limitMs } = bench;
  const text = await bench.expectText();
  expectConstants(kernel, text, settings);
  const params = shapeOf(kernel, bench.shape);
  const rows = await sweep(workshop, { kernel, text, params, settings, limitMs });
  if (json) process.stdout.write(`${JSON.stringify({ kernel, params, settings: rows }, null, 2)}\n`);
  else {
    const table = sweepTable(rows, checks[kernel].kernel.flops(params));
    process.stdout.write(`${kernel} at ${inWords(params)}\n\n${table.join('\n')}\n`);
  }
  return rows.some(({ problem }) => problem) ? 1 : 0;
}

async function once(bench: Bench, json: boolean): Promise<number> {
  const text = await bench.expectText();
  const screen = new Screen();
  const findings = await bench.inspect(text, ONCE_TIMING_MS, false, (findings) => {
    if (!json) screen.show(draw(findings, '', busy(findings)));
  });
  if (!findings) throw new UserError('stopped');
  if (json) process.stdout.write(`${JSON.stringify(documentOf(findings), null, 2)}\n`);
  else screen.show(draw(findings, '', undefined));
  return findings.verdict === 'wrong' ? 1 : 0;
}

/** How long what is under way may take to stop, before its process is ended. */
const PATIENCE_MS = 500;

/** Until Ctrl-C. */
async function forever(bench: Bench): Promise<number> {
  const screen = new Screen();
  let saves = 0;
  let running: Promise<unknown> = Promise.resolve();
  const look = async () => {
    const save = saves++;
    const show = (lines: readonly string[]) => {
      if (save === saves - 1) screen.show(lines); // what is still said of an earlier save, or after the last, is of no use
    };
    bench.cancel();
    screen.begin();
    const title = `save ${save} · ${new Date().toLocaleTimeString()}`;
    show([`${bench.kernel}  ${title}`, '…']);
    const stuck = setTimeout(() => bench.workshop.close(), PATIENCE_MS);
    await running;
    clearTimeout(stuck);
    const text = await bench.text();
    if (text === undefined)
      return show([`${bench.kernel}.wgsl is not there; it is looked at again when it is`]);
    running = bench
      .inspect(text, TIMING_MS, true, (findings) => show(draw(findings, title, busy(findings))))
      .then((findings) => findings && show(draw(findings, title, undefined)))
      .catch((error) => show([String(error instanceof UserError ? error.message : error)]));
  };
  const lookOrSay = () => look().catch((error) => screen.show([(error as Error).message]));
  const definition = definitionOf(bench.kernel);
  let turn = lookOrSay();
  const stop = watchFiles([bench.file, definition], (file) => {
    turn = turn.then(async () => {
      if (file === definition) {
        try {
          await rebuild();
          bench.workshop.close(); // the next one has it
        } catch (error) {
          screen.begin();
          screen.show([(error as Error).message]);
          return;
        }
      }
      await lookOrSay();
    });
  });
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  saves += 1;
  stop();
  process.stdout.write('\n');
  return 0;
}
