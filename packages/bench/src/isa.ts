import type { Benchmark } from './benchmark.ts';
import { type Compiled, compileWithRadv, FAMILY, type Plan } from './isa-radv.ts';
import { type Bar, makeBar, type Report } from './report.ts';

/** The kernel whose inner loop must be good: it does most of the work on GPUs. */
const MATMUL = 'matmul_workgroup';
const FMAS_PER_ACCESS = 8;

export const isaBenchmark: Benchmark = {
  name: 'isa',
  summary: `what every kernel compiles to on an AMD GPU (${FAMILY}): registers, spills, occupancy, inner loops`,
  description: [
    `Compiles every kernel for an AMD GPU (${FAMILY}, GCN 4) that need not be there, with Mesa's RADV on Linux: with the`,
    'default constants for GPUs and with those that the tests try, at the sizes of HRM (hidden 512, head_dim 64 and',
    '128, 82 and 901 tokens). Nothing runs. Latency and inverse throughput are the estimates of the compiler, in',
    'cycles, blind to waiting for memory and to how often a loop runs: they compare versions of one kernel. The',
    'inner loop is the innermost one with the most multiply-adds, as the compiler left it (what it unrolled is part',
    "of the loop around); 'memory' counts its accesses to buffers, constants and workgroup memory. One bar wants no",
    `kernel that GPUs are offered to spill registers, the other ${FMAS_PER_ACCESS} multiply-adds for each access in ${MATMUL}, which does most of the`,
    'work on GPUs.',
  ].join('\n'),
  async run({ note }) {
    note(`compiling all kernels for ${FAMILY} (the adapter above is not used)…`);
    const { plan, compiled } = await compileWithRadv();
    return reportOf(plan, compiled);
  },
};

function reportOf({ adapter, skipped }: Plan, compiled: readonly Compiled[]): Report {
  return {
    title: `${compiled.length} kernels compiled for ${adapter.description}, ${adapter.architecture}, ${FAMILY}`,
    settings: { adapter, family: FAMILY },
    results: compiled,
    table: [HEADER, ...compiled.map(formatRow)],
    skipped: skipped.map((kernel) => `${kernel}: it needs more lanes in a subgroup`),
    controls: [],
    bars: [spillBar(compiled), matmulBar(compiled)],
  };
}

const spills = ({ spilledVgprs, spilledSgprs }: Compiled) => spilledVgprs + spilledSgprs;

/** All kernels that GPUs are offered must keep their variables in registers; the table marks those that do not. */
function spillBar(compiled: readonly Compiled[]): Bar {
  const offered = compiled.filter(({ madeFor }) => madeFor !== 'software');
  const within = offered.filter((kernel) => spills(kernel) === 0).length;
  return makeBar('kernels for GPUs without spilled registers', within, offered.length, 'kernels', 1);
}

/** The first is the one with the default constants, at the first shape. */
function matmulBar(compiled: readonly Compiled[]): Bar {
  const loop = compiled.find(({ kernel }) => kernel === MATMUL)?.innerLoop;
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

/** `ROWS=8 TILE_K=16`: types are left out, since a number beside them says the same. */
function formatConstants({ constants }: Compiled): string {
  return Object.entries(constants)
    .filter(([name, value]) => !USUAL.includes(name) && !/[<>]|^f\d+$/.test(String(value)))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
