/** A kernel in other settings of its constants: whether each is right, and how fast. */
import { type ConstantValues, type ParamValues, parseShader, UserError } from '@hrm-webgpu/core';
import type { Ratio } from '../../timing/statistics.ts';
import { formatTable, significant } from '../../timing/table.ts';
import { problemOfTry } from '../trial/trial.ts';
import type { Workshop } from '../trial/workshop.node.ts';
import { compareTimes } from './inspection.ts';

/** How long each setting is timed. */
const TIMING_MS = 700;

/** What came of a setting. */
export interface SweepRow {
  constants: ConstantValues;
  /** Why it is not timed: it does not compile, or is wrong. */
  problem?: string;
  /** Milliseconds a run, and that as a share of the standard setting's, with its 99 % interval. */
  ms?: number;
  ratio?: Ratio;
  word?: 'faster' | 'slower' | 'same';
}

export interface SweepRequest {
  kernel: string;
  text: string;
  params: ParamValues;
  settings: readonly ConstantValues[];
  limitMs: number;
}

/** All combinations of the values that `NAME=a,b,c` name. @throws UserError for what is not of that form */
export function settingsNamed(words: readonly string[]): ConstantValues[] {
  const named = new Map<string, number[]>();
  for (const word of words) {
    const [, name, list] = word.match(/^(\w+)=([^=]+)$/) ?? [];
    const values = list?.split(',').map(Number) ?? [];
    if (!name || values.some((value) => !Number.isInteger(value)))
      throw new UserError(`--tune ${word}: expected NAME=N,N,…, e.g. ROWS=4,8`);
    named.set(name, [...new Set([...(named.get(name) ?? []), ...values])]);
  }
  return [...named].reduce<ConstantValues[]>(
    (settings, [name, values]) =>
      settings.flatMap((setting) => values.map((value) => ({ ...setting, [name]: value }))),
    [{}],
  );
}

/** @throws UserError where a setting is of a constant that the kernel has not */
export function expectConstants(kernel: string, text: string, settings: readonly ConstantValues[]): void {
  const { constants } = parseShader(kernel, text);
  const unknown = settings.flatMap(Object.keys).find((name) => !constants.has(name));
  if (unknown !== undefined)
    throw new UserError(
      `--tune ${unknown}: expected one of ${kernel}'s constants: ${[...constants.keys()].join(', ') || 'it has none'}`,
    );
}

/** The standard setting first, then each one asked for, timed by turns with it. */
export async function sweep(workshop: Workshop, request: SweepRequest): Promise<SweepRow[]> {
  const { kernel, text, params, settings, limitMs } = request;
  const rows: SweepRow[] = [];
  for (const constants of [{}, ...settings]) {
    const asked = { kernel, text, cases: 'first' as const, constants };
    const outcome = await workshop.ask('try', asked, limitMs);
    const problem = outcome.reply?.skipped ?? problemOfTry(outcome);
    rows.push({ constants, ...(problem ? { problem } : {}) });
  }
  const [standard, ...others] = rows;
  if (standard.problem) return rows;
  const right = others.filter(({ problem }) => !problem);
  const rivals = right.map(({ constants }) => ({ text, constants }));
  const ms = TIMING_MS * (1 + right.length);
  const duel = await workshop.ask('duel', { kernel, text, rivals, params, ms }, limitMs + 10 * ms);
  if (!duel.reply) throw new UserError(`${kernel}: ${duel.failure}`);
  standard.ms = duel.reply.ms;
  for (const [i, against] of duel.reply.against.entries()) {
    if ('problem' in against) right[i].problem = against.problem;
    else {
      const ratio = { ratio: 1 / against.ratio, low: 1 / against.high, high: 1 / against.low };
      Object.assign(right[i], { ms: standard.ms * ratio.ratio, ratio, word: compareTimes(ratio) });
    }
  }
  return rows;
}

/** The rows as a table of 80 columns, and below it what is wrong with some. */
export function sweepTable(rows: readonly SweepRow[], flops: number): string[] {
  const nameOf = ({ constants }: SweepRow) =>
    Object.entries(constants)
      .map((entry) => entry.join(' '))
      .join(', ') || 'standard';
  const wrong = rows.filter(({ problem }) => problem);
  return [
    ...formatTable([
      ['', 'ms', 'GFLOP/s', '× standard', '99 %', ''],
      ...rows.map((row) => {
        const { ms, ratio, word } = row;
        if (ms === undefined) return [nameOf(row), '', '', '', '', 'wrong'];
        const speed = [significant(ms), significant(flops / ms / 1e6)];
        if (!ratio) return [nameOf(row), ...speed, '', '', ''];
        const interval = `${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}`;
        return [nameOf(row), ...speed, ratio.ratio.toFixed(3), interval, word ?? ''];
      }),
    ]),
    ...wrong.flatMap((row) => ['', `${nameOf(row)}: ${row.problem}`]),
  ];
}
