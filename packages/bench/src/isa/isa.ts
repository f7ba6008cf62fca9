import type { Benchmark } from '../report/benchmark.ts';
import { type Bar, makeBar, type Report, type Result } from '../report/report.ts';
import { type Compilation, type Compiled, compileWithRadv, FAMILY } from './isa-radv.ts';
import { ISA_KERNELS, type Variant } from './isa-variants.ts';

/** The kernel whose inner loop must be good: it does most of the work on GPUs. */
const MATMUL = 'matmul_workgroup';
const FMAS_PER_ACCESS = 8;

export const isaBenchmark: Benchmark = {
  name: 'isa',
  summary: `what every kernel compiles to on an AMD GPU (${FAMILY}): registers, spills, occupancy, inner loops`,
  description: [
    `Compiles every kernel, or those that are named, for an AMD GPU (${FAMILY}, GCN 4) that need not be there, with Mesa's RADV on Linux: with the`,
    'default constants for GPUs, with those that the tests try and, one at a time, with those that the tuner may choose on',
    'GPUs; at the sizes of HRM (hidden 512, head_dim 64 and 128, 82 and 901 tokens). Of the values for tuning the table has',
    'those that spill or change how many waves a unit holds at once. Nothing runs. Latency and inverse throughput are the',
    'estimates of the compiler, in cycles, blind to waiting for memory and to how often a loop runs: they compare versions',
    'of one kernel. The inner loop is the innermost one with the most multiply-adds, as the compiler left it (what it',
    "unrolled is part of the loop around); 'memory' counts its accesses to buffers, constants and workgroup memory. One",
    'bar wants no kernel that GPUs are offered to spill registers, with any of these values, the other',
    `${FMAS_PER_ACCESS} multiply-adds for each access in ${MATMUL}, which does most of the work on GPUs.`,
  ].join('\n'),
  parts: ISA_KERNELS,
  duration: { full: 60 },
  ownKernels: true,
  async run({ parts, note }) {
    const which = parts.length === ISA_KERNELS.length ? 'all kernels' : parts.join(', ');
    note(`compiling ${which} for ${FAMILY} (the adapter above is not used)…`);
    return isaReport(await compileWithRadv(parts));
  },
};

/** The report on what the driver said. */
export function isaReport({ plan, compiled, ruledOut }: Compilation): Report {
  const { adapter, skipped } = plan;
  const shown = compiled.filter((kernel) => isTelling(kernel, compiled));
  const rest = compiled.length - shown.length;
  return {
    title: `${compiled.length} kernels compiled for ${adapter.description}, ${adapter.architecture}, ${FAMILY}`,
    settings: { adapter, family: FAMILY },
    results: compiled.map((kernel): Result => ({ ...kernel, name: nameOf(kernel) })),
    table: [
      HEADER,
      ...shown.map(formatRow),
      ...(rest > 0 ? [HEADER.map((_, i) => (i === 0 ? `${rest} more values for tuning` : ''))] : []),
    ],
    skipped: [
      ...skipped.map((kernel) => `${kernel}: it needs more lanes in a subgroup`),
      ...formatRuledOut(ruledOut),
    ],
    controls: [],
    bars: [spillBar, matmulBar].flatMap((bar) => bar(compiled) ?? []),
  };
}

/** Whether a kernel is worth a line: a value for tuning only if it spills, or changes the occupancy. */
function isTelling(kernel: Compiled, compiled: readonly Compiled[]): boolean {
  if (!kernel.tuned || spills(kernel) > 0) return true;
  const others = withoutTuned(kernel, kernel.tuned);
  const untuned = compiled.find((other) => !other.tuned && withoutTuned(other, kernel.tuned) === others);
  return untuned?.waves !== kernel.waves;
}

/** A kernel and its constants but one, for comparison. */
function withoutTuned({ kernel, constants }: Variant, tuned: string | undefined): string {
  return JSON.stringify([kernel, Object.entries(constants).filter(([name]) => name !== tuned)]);
}

/** A line for each kernel. */
function formatRuledOut(variants: readonly Variant[]): string[] {
  const values = new Map<string, Set<string>>();
  for (const { kernel, constants, tuned = '' } of variants) {
    const found = values.get(kernel) ?? new Set();
    values.set(kernel, found.add(`${tuned}=${constants[tuned]}`));
  }
  return [...values].map(
    ([kernel, found]) => `${kernel} ${[...found].join(', ')}: ruled out by the kernel at some of these sizes`,
  );
}

const spills = ({ spilledVgprs, spilledSgprs }: Compiled) => spilledVgprs + spilledSgprs;

/** All kernels that GPUs are offered must keep their variables in registers; the table marks those that do not. */
function spillBar(compiled: readonly Compiled[]): Bar | undefined {
  const offered = compiled.filter(({ madeFor }) => madeFor !== 'software');
  if (offered.length === 0) return undefined;
  const within = offered.filter((kernel) => spills(kernel) === 0).length;
  return makeBar('kernels for GPUs without spilled registers', within, offered.length, 'kernels', 1);
}

/** The first is the one with the default constants, at the first shape. */
function matmulBar(compiled: readonly Compiled[]): Bar | undefined {
  const product = compiled.find(({ kernel }) => kernel === MATMUL);
  if (!product) return undefined;
  const loop = product.innerLoop;
  const name = `${MATMUL} ≥ ${FMAS_PER_ACCESS} multiply-adds an access in its inner loop`;
  return makeBar(name, loop?.fmas ?? 0, Math.max(loop?.memory ?? 0, 1), 'instructions', FMAS_PER_ACCESS);
}

/** Latency and 1/throughput in cycles; the last two count instructions of the inner loop. */
const HEADER = [
  'kernel',
  'VGPR',
  'SGPR',
  'spills',
  'LDS',
  'waves',
  'code',
  'latency',
  '1/thr.',
  'FMAs',
  'memory',
];

function formatRow(kernel: Compiled): string[] {
  const { vgprs, sgprs, ldsBytes, waves, codeBytes, latency, inverseThroughput, innerLoop } = kernel;
  return [
    [kernel.kernel, formatConstants(kernel), kernel.madeFor === 'software' ? '(software)' : '']
      .filter(Boolean)
      .join(' '),
    ...[vgprs, sgprs].map(String),
    spills(kernel) > 0 ? `${spills(kernel)} !` : '0',
    ...[ldsBytes, waves, codeBytes, latency, inverseThroughput].map(String),
    ...(innerLoop ? [innerLoop.fmas, innerLoop.memory].map(String) : ['no loop', '']),
  ];
}

/** What only follows from shapes being multiples of four, as all of HRM's are. */
const USUAL = ['PACK', 'A_PACK', 'WIDTH'];

/** `ROWS=8 TILE_K=16` */
function formatConstants({ constants }: Variant): string {
  return Object.entries(constants)
    .filter(([name, value]) => !USUAL.includes(name) && !isType(value))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** Names leave out types, since a number beside them says the same. */
const isType = (value: number | string) => /[<>]|^f\d+$/.test(String(value));

/** Of a result: `matmul PACK=4 ROWS=8`. */
function nameOf({ kernel, constants }: Variant): string {
  const numbers = Object.entries(constants).filter(([, value]) => !isType(value));
  return [kernel, ...numbers.map(([name, value]) => `${name}=${value}`)].join(' ');
}
