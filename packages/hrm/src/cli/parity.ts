import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { openDevice, UserError } from '@hrm-webgpu/core';
import { runArcParity } from '../parity/arc.ts';
import type { ParityRow } from '../parity/comparison.ts';
import { openFixture } from '../parity/fixture.ts';
import { folderFiles } from '../parity/folder.node.ts';
import { runParity } from '../parity/parity.ts';
import { type Command, onePositional, parse } from './command.ts';
import { green, print, red } from './terminal.ts';

export const parity: Command = {
  summary: 'compare this engine with numbers from the published implementation',
  help: `usage: hrm parity <fixture-dir or ARC file> [--json]

Runs the model of a fixture folder (config.json, checkpoint, eval/grad/trace.safetensors, trace.json; see
test/fixtures/README.md) and prints, for each group of arrays, the largest error as a share of what is allowed,
and where it is. Exit code 1 when any bar is exceeded.

Of ARC files (….json of encoded, augmented or cropped grids, or of votes; same README) everything must be equal.

  --json   one JSON document on stdout instead of the table`,

  async run(args) {
    const { values, positionals } = parse(args, { json: { type: 'boolean' } });
    const path = onePositional(positionals, 'one fixture folder or ARC file');
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) {
      const rows = await runArcParity(folderFiles(dirname(path)), basename(path));
      return report(rows, { rows }, values.json);
    }
    const fixture = await openFixture(folderFiles(path));
    const device = await openDevice();
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
  if (asJson) print(JSON.stringify(json, null, 2));
  else for (const line of table(rows)) print(line);
  return rows.every((row) => row.ok) ? 0 : 1;
}

function table(rows: ParityRow[]): string[] {
  const width = Math.max(...rows.map(({ group }) => group.length));
  const lines = rows.map(({ group, ok, error, allowed, where, compared }) => {
    const verdict = ok ? green('ok  ') : red('FAIL');
    const numbers = `${error.toExponential(2).padStart(9)} of ${allowed.toExponential(1).padStart(7)}`;
    return `${verdict} ${group.padEnd(width)}  ${String(compared).padStart(4)} arrays  ${numbers}  ${where}`;
  });
  const failed = rows.filter((row) => !row.ok).length;
  const verdict =
    failed === 0
      ? green('parity: all groups within their bars')
      : red(`parity: ${failed} groups beyond their bars`);
  return [...lines, verdict];
}
