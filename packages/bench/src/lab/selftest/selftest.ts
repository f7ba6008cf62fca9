/** Whether the lab can be believed: plants faults in kernels and looks what it says of them, and how soon. */
import { checks } from '@hrm-webgpu/kernels/checks';
import { quantile } from '../../timing/statistics.ts';
import { type Findings, inspect, problemIn } from '../kernel/inspection.ts';
import { explanations } from '../mutate/explanations.ts';
import { type Mutant, mutantsOf } from '../mutate/mutants.ts';
import { shapeOf } from '../shapes.ts';
import { Workshop } from '../trial/workshop.node.ts';

/** How many saves of each kind. */
const SAVES = 20;
const TIMING_MS = 1100;
const LIMIT_MS = 120_000;
/** What a planted slowdown costs. */
const SLOWDOWN = 1.3;
/** How near to it is near enough. */
const NEAR = 0.04;

/** One line of the result. */
export interface SelftestRow {
  kernel: string;
  fault: string;
  /** How many saves were called what they are, of how many. */
  caught: number;
  of: number;
  /** How many must be. */
  wanted: number;
  /** Seconds from the save to the word. */
  p50: number;
  p95: number;
  /** What was said instead. */
  missed: string[];
}

/** A fault that is planted in every save anew, and what must be said of it. */
interface Fault {
  name: string;
  text(save: number): string;
  isCaught(findings: Findings): boolean;
}

/** `onRow` hears of each kind of fault when it is through. */
export async function selftest(
  kernels: readonly string[],
  onRow: (row: SelftestRow) => void,
): Promise<SelftestRow[]> {
  const workshop = new Workshop();
  const rows: SelftestRow[] = [];
  try {
    for (const kernel of kernels) {
      for (const fault of await faultsOf(workshop, kernel)) {
        const row = await saveAndSee(workshop, kernel, fault);
        rows.push(row);
        onRow(row);
      }
    }
  } finally {
    workshop.close();
  }
  return rows;
}

export const passed = ({ caught, wanted }: SelftestRow) => caught >= wanted;

async function saveAndSee(workshop: Workshop, kernel: string, fault: Fault): Promise<SelftestRow> {
  const seconds: number[] = [];
  const missed: string[] = [];
  for (let save = 0; save < SAVES; save++) {
    const findings = await look(workshop, kernel, fault.text(save));
    if (findings.firstMs !== undefined) seconds.push(findings.firstMs / 1000);
    if (!fault.isCaught(findings)) missed.push(describe(findings));
  }
  return {
    kernel,
    fault: fault.name,
    caught: SAVES - missed.length,
    of: SAVES,
    wanted: fault.name === UNCHANGED ? SAVES - 1 : SAVES,
    p50: quantile(seconds, 0.5),
    p95: quantile(seconds, 0.95),
    missed,
  };
}

/** As after a save: the first verdict, and where that finds nothing wrong, all cases that the check names. */
async function look(workshop: Workshop, kernel: string, text: string): Promise<Findings> {
  const rivals = [{ name: 'the version before', text: checks[kernel].kernel.text }];
  const params = shapeOf(kernel, undefined);
  const request = { kernel, text, rivals, params, timingMs: TIMING_MS, limitMs: LIMIT_MS };
  const findings = await inspect(workshop, { ...request, whole: 'named' }, () => {});
  return findings ?? { kernel };
}

const describe = (findings: Findings) =>
  `${findings.verdict ?? 'nothing'}${findings.timing ? ` ${JSON.stringify(findings.timing.against[0])}` : ''} ${
    problemIn(findings) ?? ''
  }`.trim();

const UNCHANGED = 'nothing but a comment';

async function faultsOf(workshop: Workshop, kernel: string): Promise<Fault[]> {
  const { text } = checks[kernel].kernel;
  const remarked = (changed: string, save: number) => `${changed}\n// save ${save}\n`;
  const wrong = (pattern: RegExp) => (findings: Findings) =>
    findings.verdict === 'wrong' && pattern.test(problemIn(findings) ?? '');
  const mutants = mutantsOf(text);
  /** Of the first kind, by what it is called, of which a kernel has some. */
  const planted = async (name: string, kinds: readonly RegExp[], said: RegExp): Promise<Fault[]> => {
    let found: Mutant[] = [];
    for (const kind of kinds) {
      if (found.length > 0) break;
      found = mutants.filter(({ id }) => kind.test(id) && !Object.hasOwn(explanations[kernel] ?? {}, id));
      for (const mutant of [...found]) {
        const { reply } = await workshop.ask('try', { kernel, text: mutant.text, cases: 'first' }, LIMIT_MS);
        if (reply?.refused) found.splice(found.indexOf(mutant), 1); // not all can be made of every type
      }
    }
    if (found.length === 0) return [];
    return [{ name, text: (save) => remarked(found[save % found.length].text, save), isCaught: wrong(said) }];
  };
  const waste = await wasteFor(workshop, kernel);
  return [
    { name: UNCHANGED, text: (save) => remarked(text, save), isCaught: ({ verdict }) => verdict === 'same' },
    ...(await planted(
      'off by one',
      [/^start shifted/, /^bound shifted: .* in for \(var i\b/],
      /wrong|bounds/,
    )),
    ...(await planted('barrier missing', [/^barrier removed/], /wrong/)),
    ...(await planted('precision lost', [/^sum in f16/], /what is allowed/)),
    ...(await planted(
      'out of bounds',
      [/^clamp removed.* - 1\)/, /^guard removed: query >=/],
      /out of its bounds/,
    )),
    {
      name: `${SLOWDOWN} × as slow`,
      text: (save) => remarked(wasteful(text, waste), save),
      isCaught: ({ verdict }) => verdict === 'slower',
    },
  ];
}

/** A kernel that does nothing useful for a while, in a way that no compiler sees through. */
function wasteful(text: string, turns: number): string {
  const field = text.match(/struct Params\s*\{\s*(\w+)/)?.[1];
  const loop = `var waste = f32(params.${field}); for (var w = 0u; w < ${turns}u; w++) { waste = fma(waste, 0.999, 0.5); } if (waste < -1e30) { return; }`;
  return text.replace(/(fn main\([\s\S]*?\)\s*\{)/, (start) => `${start} ${loop}`);
}

/** How many turns make a kernel so much slower. */
async function wasteFor(workshop: Workshop, kernel: string): Promise<number> {
  const { text } = checks[kernel].kernel;
  const params = shapeOf(kernel, undefined);
  const ratioAt = async (turns: number) => {
    const request = {
      kernel,
      text: wasteful(text, turns),
      rivals: [{ text }],
      params,
      ms: TIMING_MS,
    };
    const { reply, failure } = await workshop.ask('duel', request, LIMIT_MS);
    const [against] = reply?.against ?? [];
    if (!against || 'problem' in against) throw new Error(`${kernel}: ${failure ?? JSON.stringify(against)}`);
    return against.ratio;
  };
  let turns = 64;
  let ratio = await ratioAt(turns);
  while (ratio < SLOWDOWN) {
    turns *= 2;
    ratio = await ratioAt(turns);
  }
  // Between the last two, in proportion; again until it is, as compilers do not treat all loops alike.
  for (let attempt = 0; attempt < 5 && Math.abs(ratio - SLOWDOWN) > NEAR; attempt++) {
    turns = Math.max(1, Math.round((turns * (SLOWDOWN - 1)) / Math.max(0.02, ratio - 1)));
    ratio = await ratioAt(turns);
  }
  return turns;
}
