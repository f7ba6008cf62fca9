import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { runArcParity } from '../parity/arc.ts';
import type { ParityRow } from '../parity/comparison.ts';
import { openFixture } from '../parity/fixture.ts';
import { folderFiles } from '../parity/folder.node.ts';
import { runParity } from '../parity/parity.ts';
import { type Command, onePositional, parse } from './command.ts';
import { openGivenDevice } from './open-device.ts';
import { dim, green, percent, print, printJson, red } from './terminal.ts';

export const parity: Command = {
  summary: 'compare this engine with numbers from the published implementation',
  help: `usage: hrm parity <fixture-dir or ARC file> [--json] [--shaders DIR]

Runs the model of a fixture folder (config.json, checkpoint, eval/grad/trace.safetensors, trace.json; see
test/fixtures/README.md) and prints, for each group of arrays, the error that is the largest share of what is
allowed there, and where it is when that is too much. docs/parity.md tells what is judged, and by which bars.
Exit code 1 when any is exceeded.

Segments of an evaluation start from the published states. The line below each shows the same on this engine's own
states, and how many times larger a rounding error of the first segment is by then; from 10 times on that line is
not judged. Below 'trace, halting' stand rows that rounding may have halted, which are not judged from there on.

Of ARC files (….json of encoded, augmented or cropped grids, or of votes; same README) everything must be equal.

  --json         one JSON document on stdout instead of the table, with the place of each group's worst error
  --shaders DIR  kernels from the .wgsl files of a folder instead of our own`,

  async run(args) {
    const { values, positionals } = parse(args, { json: { type: 'boolean' }, shaders: { type: 'string' } });
    const path = onePositional(positionals, 'one fixture folder or ARC file');
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
      const rows = await runArcParity(folderFiles(dirname(path)), basename(path));
      return report(rows, { rows }, values.json);
    }
    const fixture = await openFixture(folderFiles(path));
    const device = await openGivenDevice(values);
    try {
      const rows = await runParity(device, fixture);
      if (rows.length === 0) throw new UserError('the folder has no eval, grad or trace to compare with');
      return report(rows, { adapter: device.adapter, rows }, values.json);
    } finally {
      await fixture.close();
      device.close();
    }
  },
};

/** Prints the rows, or `json` if that is asked for; the exit code. */
function report(rows: ParityRow[], json: object, asJson = false): number {
  if (asJson) printJson(json);
  else for (const line of table(rows)) print(line);
  return rows.every((row) => row.ok) ? 0 : 1;
}

/** Below the verdicts. */
const INDENT = ' '.repeat(5);
const COLUMNS = 80;

/** The lines of the table, at most 80 columns wide. */
export function table(rows: ParityRow[]): string[] {
  const cells = [
    { verdict: '', label: 'group', arrays: 'arrays', error: 'error', allowed: 'allowed', share: 'share' },
    ...rows.flatMap(cellsOf),
  ];
  const width = Math.max(...cells.map(({ label }) => label.length));
  const lines = cells.flatMap(({ verdict, label, arrays, error, allowed, share, below = [] }) => {
    const numbers = [error, allowed, share].map((cell) => cell.padStart(9)).join('');
    const line = `${verdict.padEnd(INDENT.length)}${label.padEnd(width)}${arrays.padStart(8)}${numbers}`;
    const coloured = verdict === 'FAIL' ? red(line) : verdict === '' ? dim(line) : line;
    return [coloured, ...below.map((text) => `${INDENT}${text}`)];
  });
  const failed = rows.filter((row) => !row.ok).length;
  const verdict =
    failed === 0
      ? green('parity: all groups within their bars')
      : red(`parity: ${failed} of ${rows.length} groups beyond their bars`);
  return [...lines, verdict];
}

/** A line of the table, and what is said below it. */
interface Cells {
  verdict: string;
  label: string;
  arrays: string;
  error: string;
  allowed: string;
  share: string;
  below?: string[];
}

/** A group, and the same evaluation on its own states below it. */
function cellsOf({ group, ok, compared, free, remarks = [], ...worst }: ParityRow): Cells[] {
  const place = worst.share <= 1 ? [] : placeLines(worst.where);
  const below = [...place, ...remarks];
  const own = {
    verdict: ok ? 'ok' : 'FAIL',
    label: group,
    arrays: String(compared),
    ...numbers(worst),
    below,
  };
  if (!free) return [own];
  const { growth, judged } = free;
  const label = `  on its own states, rounding × ${growth.toFixed(1)}`;
  if (!judged) {
    const { error } = numbers(free);
    return [own, { verdict: '', label, arrays: '', error, allowed: 'not', share: 'judged' }];
  }
  const freeBelow = free.share <= 1 ? [] : placeLines(free.where);
  return [own, { verdict: '', label, arrays: '', ...numbers(free), below: freeBelow }];
}

function numbers({ error, allowed, share }: { error: number; allowed: number; share: number }) {
  return {
    error: error === 0 ? '0' : error.toExponential(1),
    allowed: allowed === 0 ? 'exact' : allowed.toExponential(1),
    share: share < 10 ? percent(share) : '> 999 %',
  };
}

/** Array and element in front of the values, on lines of their own where they are too long for one. */
function placeLines(where: string): string[] {
  return where.length <= COLUMNS - INDENT.length ? [where] : where.split(/(?= = )/);
}
