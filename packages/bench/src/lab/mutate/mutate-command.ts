import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import type { LabCommand } from '../command.ts';
import { ENDLESS, Workshop } from '../trial/workshop.node.ts';
import { type Fate, type KernelFates, type MutateOptions, mutateKernel } from './mutate.ts';

/** Each has a device of its own. */
const MOST_WORKSHOPS = 4;
const SAID_EVERY_MS = 60_000;

const say = (text: string) => process.stderr.write(`${text}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

export const mutateCommand: LabCommand = {
  summary: 'plant mistakes in kernels and list those that no check finds',
  help: `usage: npm run lab -- mutate [kernel …] [--slice I/N] [--json]

Makes one mistake at a time in each kernel: removes a barrier, a guard or a clamp, shifts a bound or a start by one,
keeps a sum in half precision, weakens a constant. Each must be found by the kernel's check, which notes every
index that is out of bounds, and runs each case with the workgroups and threads in ascending and in descending order.

What lives is listed. Exit code 1 when one lives that packages/bench/src/lab/mutate/explanations.ts does not explain, or when an
explanation there is no longer true.

  --slice I/N  only the I-th of every N mistakes of a kernel, from 1
  --json       one JSON document, with what found each mistake`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { slice: { type: 'string' }, json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const unknown = positionals.find((name) => !Object.hasOwn(checks, name));
    if (unknown !== undefined) throw new UserError(`there is no kernel '${unknown}': see shaders/`);
    const slice = sliceOf(values.slice);
    // A mistake is compiled for the first time; the kernel itself must not be quicker, as the time that it takes is the measure.
    const open = () => new Workshop({ MESA_SHADER_CACHE_DISABLE: 'true' });
    const others = Math.min(availableParallelism(), MOST_WORKSHOPS) - 1;
    const workshops = [open(), ...Array.from({ length: others }, open)] as const;
    const results: KernelFates[] = [];
    try {
      for (const kernel of positionals.length > 0 ? positionals : Object.keys(checks)) {
        const found = await mutateKernel(workshops, kernel, { slice, onFate: reporter(kernel) });
        if (found) results.push(found);
        say(found ? summaryOf(found) : `${kernel}: this adapter cannot run it`);
      }
    } finally {
      for (const workshop of workshops) workshop.close();
    }
    return conclude(results, values.json);
  },
};

function sliceOf(text: string | undefined): { index: number; of: number } {
  if (text === undefined) return { index: 0, of: 1 };
  const [, index, of] = text.match(/^(\d+)\/(\d+)$/)?.map(Number) ?? [];
  if (!(index >= 1 && index <= of)) throw new UserError(`--slice ${text}: expected I/N, with I from 1 to N`);
  return { index: index - 1, of };
}

const nameOf = ({ mutant: { line, kind, before, after } }: Fate) =>
  `line ${line}, ${kind}: ${before}${after ? ` → ${after}` : ''}`;

/** Says what lives at once, and how far it is once a minute: kernels that compile slowly take an hour. */
function reporter(kernel: string): NonNullable<MutateOptions['onFate']> {
  let said = performance.now();
  return (fate, done, of) => {
    if (fate.fate === 'lives') say(`${kernel}.wgsl ${nameOf(fate)} LIVES`);
    if (performance.now() - said < SAID_EVERY_MS || done === of) return;
    said = performance.now();
    say(`${kernel}: ${done} of ${of} mistakes`);
  };
}

const count = ({ fates }: KernelFates, wanted: Fate['fate']) =>
  fates.filter(({ fate }) => fate === wanted).length;

function summaryOf(found: KernelFates): string {
  const counts = (['killed', 'explained', 'lives', 'invalid'] as const).map(
    (fate) => `${count(found, fate)} ${fate === 'invalid' ? 'do not compile' : fate}`,
  );
  const endless = found.fates.filter(({ fate, reason }) => fate === 'killed' && reason.startsWith(ENDLESS));
  const doubt = endless.length > 0 ? `; ${endless.length} of those killed did not end in time` : '';
  return `${found.kernel}: ${counts.join(', ')}${doubt} (${found.seconds.toFixed(0)} s)`;
}

/** What became of each mutant and by what, for who would believe no number. */
const toldOf = ({ kernel, fates }: KernelFates) =>
  fates.map(({ mutant: { id, line }, fate, reason }) => ({ kernel, id, line, fate, reason }));

function conclude(results: readonly KernelFates[], json: boolean): number {
  const lives = results.flatMap(({ kernel, fates }) =>
    fates
      .filter(({ fate }) => fate === 'lives')
      .map(({ mutant }) => ({ kernel, id: mutant.id, line: mutant.line })),
  );
  const stale = results.flatMap(({ kernel, stale }) => stale.map((id) => ({ kernel, id })));
  const sum = (fate: Fate['fate']) => results.reduce((total, found) => total + count(found, fate), 0);
  const counts = {
    killed: sum('killed'),
    explained: sum('explained'),
    lives: lives.length,
    invalid: sum('invalid'),
  };
  if (json)
    print(JSON.stringify({ ...counts, living: lives, stale, mutants: results.flatMap(toldOf) }, null, 2));
  else {
    for (const { kernel, id } of lives) print(`lives: ${kernel}: ${id}`);
    for (const { kernel, id } of stale) print(`explained, but found or gone: ${kernel}: ${id}`);
    print(
      `${counts.killed} killed, ${counts.explained} explained, ${counts.lives} live, ` +
        `${counts.invalid} do not compile`,
    );
  }
  return lives.length + stale.length > 0 ? 1 : 0;
}
