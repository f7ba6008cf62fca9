import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Device, openDevice, Philox, UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { openFixture, runParity } from 'hrm-webgpu';
import { folderFiles, readShaders } from 'hrm-webgpu/node';
import { verdictOf, WORTH } from '../../report/compare.ts';
import { timeGroupsWithControl } from '../../report/control.ts';
import { type Control, formatRatio } from '../../report/report.ts';
import { median, medianOfRatios, type Ratio } from '../../timing/statistics.ts';
import { formatTable, significant, wrap } from '../../timing/table.ts';
import { calibrate, deviceStopwatch, type Stopwatch } from '../../timing/timing.ts';
import type { LabCommand } from '../command.ts';
import { Workshop } from '../trial/workshop.node.ts';
import { type ModelStep, makeModelStep, type StepChoice } from './step/model-step.ts';
import { countOf, STEP_HELP, STEP_OPTIONS, stepChoiceOf } from './step/step-options.ts';
import { recordStep } from './step/walk.ts';

const FIXTURE = fileURLToPath(new URL('../../../../../test/fixtures/tiny-rope', import.meta.url));
const SECONDS = 30;
/** For the check of a kernel. */
const LIMIT_MS = 60_000;

export const compareCommand: LabCommand = {
  summary: 'two folders of shaders: is each right, and what does it do to a training step',
  help: `usage: npm run lab -- compare <dirA> <dirB> [--seconds S] [options]

Holds two folders of shaders against each other; kernels that are in neither are ours, and 'ours' is no folder. For
each: the checks of the kernels that are not the same in both, and parity of a model with the published implementation.
Then a training step, recorded, with each, by turns: the time of B as a share of A's with its 95 % interval, and in a
word, of B: faster, slower, same, or cannot tell where a change of ${100 * WORTH} % is not excluded. A control, the step of A
against itself, tells what is noise. Exit code 1 where a side is wrong.

  --seconds S    how long the timing takes; default ${SECONDS}
  --fixture DIR  which model parity is about; default test/fixtures/tiny-rope
${STEP_HELP.replace(/\n +--step.*$/, '')}
  --json         one JSON document`,

  async run(args) {
    const { step: _, ...stepOptions } = STEP_OPTIONS;
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...stepOptions,
        seconds: { type: 'string' },
        fixture: { type: 'string', default: FIXTURE },
        json: { type: 'boolean', default: false },
      },
    });
    if (positionals.length !== 2) throw new UserError('give two folders of shaders. See --help.');
    const { step: __, ...choice } = stepChoiceOf(values);
    const ms = 1000 * countOf('seconds', values.seconds, SECONDS);
    const sides = await openSides(positionals);
    try {
      const note = (text: string) => void (values.json || process.stderr.write(`${text}\n`));
      const kernels = differing(sides);
      if (kernels.length === 0) note('the two have the same kernels');
      const found: Rightness[] = [];
      for (const side of sides) found.push(await rightnessOf(side, kernels, values.fixture, note));
      const wrong = found.some(({ problems }) => problems.length > 0);
      const timing = wrong ? undefined : await timeSides(sides, choice, ms, note);
      const result = {
        sides: found,
        kernels,
        ...(timing ?? {}),
        verdict: timing?.verdict ?? ('wrong' as const),
      };
      process.stdout.write(
        values.json ? `${JSON.stringify(result, null, 2)}\n` : `${lines(result, timing).join('\n')}\n`,
      );
      return wrong ? 1 : 0;
    } finally {
      for (const { device } of sides) device.close();
    }
  },
};

interface Side {
  name: string;
  shaders: ReadonlyMap<string, string>;
  device: Device;
}

async function openSides(names: readonly string[]): Promise<Side[]> {
  const folders: Omit<Side, 'device'>[] = [];
  for (const name of names)
    folders.push({ name, shaders: name === 'ours' ? new Map() : await readShaders(name) });
  const sides: Side[] = [];
  for (const folder of folders)
    sides.push({ ...folder, device: await openDevice({ shaders: folder.shaders }) });
  return sides;
}

const textOf = ({ shaders }: Side, kernel: string) => shaders.get(kernel) ?? checks[kernel].kernel.text;
/** Without what only readers need. */
const code = (text: string) => text.replace(/\/\/[^\n]*/g, '').replace(/\s+/g, ' ');

/** The kernels that are not the same in both. */
function differing([a, b]: readonly Side[]): string[] {
  const named = [...new Set([...a.shaders.keys(), ...b.shaders.keys()])].sort();
  return named.filter((kernel) => code(textOf(a, kernel)) !== code(textOf(b, kernel)));
}

/** Whether a side is right. */
interface Rightness {
  name: string;
  /** Kernels that were checked, and those that this adapter cannot run. */
  checked: number;
  skipped: string[];
  /** The largest error of parity as a share of what is allowed, and how many groups there are. */
  parity?: { worst: number; group: string; groups: number };
  problems: string[];
}

async function rightnessOf(
  side: Side,
  kernels: readonly string[],
  fixtureFolder: string,
  note: (text: string) => void,
): Promise<Rightness> {
  const result: Rightness = { name: side.name, checked: 0, skipped: [], problems: [] };
  note(
    `${side.name}: checking ${kernels.length} ${kernels.length === 1 ? 'kernel' : 'kernels'}, then parity…`,
  );
  const workshop = new Workshop(); // a process of its own: a kernel that does not end is stopped
  for (const kernel of kernels) {
    const text = textOf(side, kernel);
    const { reply, failure } = await workshop.ask('try', { kernel, text, cases: 'named' }, LIMIT_MS);
    if (!reply) {
      result.problems.push(`${kernel}: ${failure}`);
      continue;
    }
    const { problem, at, refused, skipped } = reply;
    if (skipped) result.skipped.push(kernel);
    else result.checked += 1;
    if (refused) result.problems.push(refused);
    if (problem) result.problems.push(`${kernel}: ${problem}, at ${at}`);
  }
  workshop.close();
  if (result.problems.length > 0) return result; // a model of wrong kernels tells nothing more
  const fixture = await openFixture(folderFiles(fixtureFolder));
  try {
    const rows = await runParity(side.device, fixture);
    if (rows.length === 0) throw new UserError(`${fixtureFolder} has no eval, grad or trace to compare with`);
    const worst = rows.reduce((a, b) => (b.share > a.share ? b : a));
    result.parity = { worst: worst.share, group: worst.group, groups: rows.length };
    for (const { ok, group, where } of rows)
      if (!ok) result.problems.push(`parity: ${group} is beyond its bar: ${where}`);
  } finally {
    await fixture.close();
  }
  return result;
}

interface Timing {
  title: string;
  /** Medians of A and B, in milliseconds. */
  ms: readonly [number, number];
  /** Time of B over time of A. */
  ratio: Ratio;
  control: Control;
  rounds: number;
  verdict: 'faster' | 'slower' | 'same' | 'cannot tell';
  /** Which kernels each step has that differ. */
  used: readonly string[];
}

async function timeSides(
  sides: readonly Side[],
  choice: StepChoice,
  ms: number,
  note: (text: string) => void,
): Promise<Timing> {
  const steps: ModelStep[] = [];
  for (const { device } of sides) steps.push(await makeModelStep(device, choice));
  const recorded = steps.map((step, i) => recordStep(sides[i].device, step));
  const candidates = recorded.map(({ run }, i) => ({
    name: i === 0 ? 'the step of A' : 'the step of B',
    run,
  }));
  const watches = new Map(
    candidates.map((candidate, i) => [candidate.name, deviceStopwatch(sides[i].device)]),
  );
  const stopwatch: Stopwatch = (candidate, runs) =>
    (watches.get(candidate.name) as Stopwatch)(candidate, runs);
  const [a, b] = [await calibrate(candidates[0], stopwatch), await calibrate(candidates[1], stopwatch)];
  const limits = { fewest: 9, most: 301, ms: ms / 2, control: { ms: ms / 2, fewestPairs: 40, width: WORTH } };
  const random = new Philox(1);
  const { timed, control } = await timeGroupsWithControl([[a, b]], a, stopwatch, limits, random, note);
  const [ofA, ofB] = timed.map(({ samplesMs }) => samplesMs);
  const noise = Math.max(0, 1 - control.low, control.high - 1);
  const word = verdictOf(medianOfRatios(ofA, ofB), noise);
  const launched = new Set(recorded.flatMap(({ launches }) => launches.map(({ kernel }) => kernel)));
  const title = steps[0].title;
  for (const each of [...recorded, ...steps]) each.dispose();
  return {
    title,
    ms: [median(ofA), median(ofB)],
    ratio: medianOfRatios(ofB, ofA),
    control,
    rounds: ofA.length,
    verdict: word === 'no change' ? 'same' : word,
    used: differing(sides).filter((kernel) => launched.has(kernel)),
  };
}

function lines(
  { sides, kernels, verdict }: { sides: readonly Rightness[]; kernels: readonly string[]; verdict: string },
  timing: Timing | undefined,
): string[] {
  const rows = sides.map(({ name, checked, skipped, parity, problems }, i) => [
    `${'AB'[i]}: ${name}`,
    `${checked}${skipped.length > 0 ? ` (${skipped.length} not here)` : ''}`,
    parity ? `${(100 * parity.worst).toFixed(0)} % of the bar` : '–',
    problems.length > 0 ? 'wrong' : 'right',
  ]);
  const unused = timing ? kernels.filter((kernel) => !timing.used.includes(kernel)) : [];
  return [
    ...wrap(`kernels that differ: ${kernels.join(', ') || 'none'}`),
    '',
    ...formatTable([['', 'kernels checked', 'parity, worst', ''], ...rows]),
    ...sides.flatMap(({ problems }, i) =>
      problems.flatMap((problem) => [
        '',
        ...`${'AB'[i]}: ${problem}`.split('\n').flatMap((line) => wrap(line, '  ')),
      ]),
    ),
    ...(timing
      ? [
          '',
          ...wrap(
            `${timing.title}: A ${significant(timing.ms[0])} ms, B ${significant(timing.ms[1])} ms; B takes ` +
              `${formatRatio(timing.ratio)} of the time of A [95 %], ${timing.rounds} rounds by turns`,
          ),
          ...wrap(`control, A against itself: ${formatRatio(timing.control)}`),
          ...(unused.length > 0 ? wrap(`not in this step: ${unused.join(', ')}`) : []),
        ]
      : []),
    '',
    timing ? `B is ${verdict}`.replace('is cannot tell', 'cannot be told from A') : verdict,
  ];
}
