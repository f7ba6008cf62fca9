/** Reads what Mesa's RADV prints about a compute pipeline with `RADV_DEBUG=shaderstats,asm`. */

/** The compiler's account of one pipeline. Times are its own estimates, in cycles, without waiting for memory. */
export interface ShaderStats {
  vgprs: number;
  sgprs: number;
  spilledVgprs: number;
  spilledSgprs: number;
  /** Workgroup memory. */
  ldsBytes: number;
  /** Occupancy: subgroups that a SIMD unit can hold at once. */
  waves: number;
  codeBytes: number;
  instructions: number;
  latency: number;
  inverseThroughput: number;
  /** The innermost loop with the most multiply-adds; null for a kernel without loops. */
  innerLoop: LoopMix | null;
}

/** How many instructions of a kind a loop has. */
export interface LoopMix {
  /** Multiply-adds of f32. */
  fmas: number;
  /** Loads, stores and atomics of buffers, constants and scratch, and all accesses to workgroup memory. */
  memory: number;
  instructions: number;
}

const KEYS = {
  vgprs: 'VGPRs',
  sgprs: 'SGPRs',
  spilledVgprs: 'Spilled VGPRs',
  spilledSgprs: 'Spilled SGPRs',
  ldsBytes: 'LDS size',
  waves: 'Subgroups per SIMD',
  codeBytes: 'Code size',
  instructions: 'Instructions',
  latency: 'Latency',
  inverseThroughput: 'Inverse Throughput',
} as const;

/**
 * The statistics of the one pipeline that the driver reports in `text`.
 *
 * @throws Error when there is none, more than one, or one without what is asked for
 */
export function parseShaderReport(text: string): ShaderStats {
  const blocks = [...text.matchAll(/^\*\*\* SHADER STATS \*\*\*\n([^*]*)\*{10}/gm)];
  if (blocks.length !== 1) {
    throw new Error(`expected the statistics of one pipeline from the driver, found ${blocks.length}`);
  }
  const values = new Map(
    [...blocks[0][1].matchAll(/^(.+): (\d+)$/gm)].map(([, key, value]) => [key, Number(value)]),
  );
  const numbers = Object.entries(KEYS).map(([name, key]) => {
    const value = values.get(key);
    if (value === undefined) throw new Error(`the driver's statistics have no '${key}'`);
    return [name, value];
  });
  return { ...Object.fromEntries(numbers), innerLoop: innerLoop(parseAssembly(text)) };
}

interface Instruction {
  mnemonic: string;
  operands: string;
}

interface Assembly {
  instructions: Instruction[];
  /** Where the basic blocks start, by their labels. */
  blocks: Map<string, number>;
}

function parseAssembly(text: string): Assembly {
  const instructions: Instruction[] = [];
  const blocks = new Map<string, number>();
  for (const line of text.split('\n')) {
    const label = line.match(/^(BB\d+):/);
    if (label) blocks.set(label[1], instructions.length);
    const repeated = line.match(/^\t\(then repeated (\d+) times\)/);
    const last = instructions[instructions.length - 1];
    if (repeated && last) instructions.push(...Array<Instruction>(Number(repeated[1])).fill(last));
    const instruction = line.match(/^\t([a-z]\w*)\s*([^;]*)/);
    if (instruction) instructions.push({ mnemonic: instruction[1], operands: instruction[2].trim() });
  }
  return { instructions, blocks };
}

const BRANCH = /^s_c?branch/;
const FMA = /^v_(?:fma|fmac|fmaak|fmamk|mac|mad|madak|madmk)_f32/;
const MEMORY = /^(?:ds|(?:buffer|tbuffer|global|flat|scratch|s|s_buffer|s_scratch)_(?:load|store|atomic))_/;

/**
 * A loop is what lies between a label and a branch back to it; it is innermost when there is no other within. A loop
 * that the compiler has unrolled is part of the one around it.
 */
function innerLoop({ instructions, blocks }: Assembly): LoopMix | null {
  const loops = instructions.flatMap(({ mnemonic, operands }, end) => {
    const start = blocks.get(operands);
    return BRANCH.test(mnemonic) && start !== undefined && start <= end ? [{ start, end }] : [];
  });
  const within = (a: (typeof loops)[0], b: typeof a) => a !== b && a.start >= b.start && a.end <= b.end;
  const mixes = loops
    .filter((loop) => !loops.some((other) => within(other, loop)))
    .map(({ start, end }) => {
      const body = instructions.slice(start, end + 1);
      const count = (kind: RegExp) => body.filter(({ mnemonic }) => kind.test(mnemonic)).length;
      return { fmas: count(FMA), memory: count(MEMORY), instructions: body.length };
    });
  return mixes.sort((a, b) => b.fmas - a.fmas)[0] ?? null;
}
