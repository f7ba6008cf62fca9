import { parseArgs } from 'node:util';
import type { LabCommand } from '../command.ts';
import { expectKernel } from '../sources.node.ts';
import { passed, type SelftestRow, selftest } from './selftest.ts';

const KERNELS = ['matmul', 'attention', 'residual_rms_norm'];
/** Seconds within which the word must come. */
const BARS = { p50: 2, p95: 5 };

const print = (text: string) => process.stdout.write(`${text}\n`);

export const selftestCommand: LabCommand = {
  summary: 'plant faults in kernels and see whether the lab finds and names them, and how soon',
  help: `usage: npm run lab -- selftest [kernel …] [--json]

Saves each kernel 20 times with each kind of fault: nothing but a comment (which must be called 'same' in 19 of 20),
a loop that is off by one, a barrier or a guard that is missing, sums in half precision, and 1.3 times the time. All
others must be caught and named in 20 of 20. Prints how long the word took, and exits 1 where one is missed or the
median is above ${BARS.p50} s, the 95th percentile above ${BARS.p95} s (not of tiled kernels, which software adapters
compile slowly). Keep the machine idle. Default: ${KERNELS.join(', ')}.`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const kernels = positionals.length > 0 ? positionals : KERNELS;
    for (const kernel of kernels) expectKernel(kernel);
    if (!values.json) print(line('kernel', 'fault', 'caught', 'p50', 'p95'));
    const rows = await selftest(kernels, (row) => {
      if (!values.json) show(row);
    });
    if (values.json) print(JSON.stringify(rows, null, 2));
    return rows.every((row) => passed(row) && inTime(row)) ? 0 : 1;
  },
};

/** Tiled kernels are made for GPUs, and compiled slowly by software adapters: reported, not judged. */
const inTime = ({ kernel, p50, p95 }: SelftestRow) =>
  kernel.endsWith('_workgroup') || (p50 <= BARS.p50 && p95 <= BARS.p95);

const line = (kernel: string, fault: string, caught: string, p50: string, p95: string) =>
  `${kernel.padEnd(22)}${fault.padEnd(24)}${caught.padStart(10)}${p50.padStart(10)}${p95.padStart(10)}`;

function show(row: SelftestRow): void {
  const { kernel, fault, caught, of, p50, p95, missed } = row;
  print(line(kernel, fault, `${caught} of ${of}`, `${p50.toFixed(2)} s`, `${p95.toFixed(2)} s`));
  if (!passed(row))
    for (const said of missed.slice(0, 3)) print(`  instead: ${said.split('\n')[0].slice(0, 68)}`);
}
