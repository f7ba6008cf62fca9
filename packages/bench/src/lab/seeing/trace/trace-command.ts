import { parseArgs } from 'node:util';
import { type Device, openDevice, UserError } from '@hrm-webgpu/core';
import type { WatchedLaunch } from '@hrm-webgpu/kernels/checks';
import { readShaders, writeFileAtomic } from 'hrm-webgpu/node';
import { formatTable, significant, wrap } from '../../../timing/table.ts';
import type { LabCommand } from '../../command.ts';
import { makeModelStep, type StepChoice } from '../step/model-step.ts';
import { countOf, STEP_HELP, STEP_OPTIONS, stepChoiceOf } from '../step/step-options.ts';
import { recordStep, runUpTo } from '../step/walk.ts';
import { type Stamp, stampsOf } from './stamps.ts';
import { spreadOf, type Timeline, timelineOf, traceEvents } from './timeline.ts';

/** Repeats until the middle half of them lies within `spread` of each other, or there are so many, or so much time is over. */
const REPEATS = { fewest: 5, most: 40, ms: 20_000, spread: 0.05 };

export const traceCommand: LabCommand = {
  summary: 'a recorded training step, dispatch by dispatch, with the time of each on the GPU',
  help: `usage: npm run lab -- trace [model] [--out FILE.json] [--top N] [options]

Records a training step and replays it until its times mean something: at least ${REPEATS.fewest} times, until the middle half of
the repeats lies within ${100 * REPEATS.spread} % of each other, and no longer than ${REPEATS.ms / 1000} s. Prints every dispatch with its kernel, shape,
the constants that were chosen for it, its time by GPU timestamps (the median, and the middle half) and its share.
Stamps that go backwards are dropped, and those of a quantised clock that are shorter than four of its steps. With
timestamps each dispatch is a pass of its own: what lies between them is longer than without.

  --out FILE     a trace for Perfetto (ui.perfetto.dev) or Chrome (about:tracing): the repeat of the median time
  --top N        only the N longest
  --repeats N    so many repeats, whatever their spread
${STEP_HELP}
  --shaders DIR  kernels from another folder; those that are not there are ours
  --json         one JSON document`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...STEP_OPTIONS,
        out: { type: 'string' },
        top: { type: 'string' },
        repeats: { type: 'string' },
        shaders: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [model = values.model, ...rest] = positionals;
    if (rest.length > 0) throw new UserError('give one model. See --help.');
    const choice = stepChoiceOf({ ...values, model });
    const most = countOf('top', values.top, Number.MAX_SAFE_INTEGER);
    const fixed = values.repeats === undefined ? undefined : countOf('repeats', values.repeats, 1);
    const device = await openDevice({
      shaders: values.shaders ? await readShaders(values.shaders) : undefined,
    });
    try {
      const traced = await trace(device, choice, fixed);
      if (values.out !== undefined)
        await writeFileAtomic(values.out, [Buffer.from(traceFile(traced, device))]);
      const text = values.json
        ? JSON.stringify(documentOf(traced, device), null, 2)
        : lines(traced, most).join('\n');
      process.stdout.write(`${text}\n`);
      return 0;
    } finally {
      device.close();
    }
  },
};

/** A step, with the stamps of each of its repeats. */
interface Traced {
  title: string;
  launches: readonly WatchedLaunch[];
  repeats: readonly (readonly Stamp[])[];
  timeline: Timeline;
}

async function trace(
  device: Device,
  { step: number, ...choice }: StepChoice & { step: number },
  fixed: number | undefined,
): Promise<Traced> {
  const step = await makeModelStep(device, choice);
  const recorded = recordStep(device, step);
  const { launches, plan } = recorded;
  await runUpTo(device, recorded, number + 1); // one more: what compiles at first use has been compiled
  // Whole, so that there is one pair of stamps a dispatch.
  const commands = plan.commands.map((command) =>
    'program' in command ? { ...command, division: undefined } : command,
  );
  const replay = () => {
    step.begin();
    device.stream.replay(commands);
  };
  const repeats = await repeated(device, replay, fixed);
  const odd = repeats.find((stamps) => stamps.length !== launches.length);
  if (odd) throw new Error(`${odd.length} stamps of ${launches.length} launches`);
  recorded.dispose();
  step.dispose();
  return { title: step.title, launches, repeats, timeline: timelineOf(repeats) };
}

function traceFile({ title, launches, repeats, timeline }: Traced, { adapter }: Device): string {
  const events = traceEvents(repeats[timeline.typical], timeline, title, (i) => eventOf(launches[i]));
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents: events, otherData: { title, adapter } });
}

async function repeated(device: Device, replay: () => void, fixed: number | undefined): Promise<Stamp[][]> {
  const repeats: Stamp[][] = [];
  const end = performance.now() + REPEATS.ms;
  const enough = () =>
    fixed !== undefined
      ? repeats.length >= fixed
      : repeats.length >= REPEATS.fewest &&
        (repeats.length >= REPEATS.most || performance.now() > end || spreadOf(repeats) <= REPEATS.spread);
  while (!enough()) repeats.push(await stampsOf(device, replay));
  return repeats;
}

/** `m=328 n=512`: parameters but those that are none of a shape. */
const shapeText = (params: WatchedLaunch['params']) =>
  Object.entries(params)
    .filter(([name]) => !/^(first|count|key\d|stream)$/.test(name))
    .map(([name, value]) => `${name}=${Number.isInteger(value) ? value : significant(value)}`)
    .join(' ');

/** Constants without types, which say the same as a number beside them. */
const choiceText = (constants: WatchedLaunch['constants']) =>
  Object.entries(constants)
    .filter(([, value]) => !/[<>]|^f32$/.test(String(value)))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

function eventOf({ kernel, name, params, constants, workgroups, work }: WatchedLaunch) {
  return {
    name: kernel,
    args: { op: name, shape: shapeText(params), choice: choiceText(constants), workgroups, ...work },
  };
}

function documentOf({ title, launches, timeline: { dispatches, ...timeline } }: Traced, { adapter }: Device) {
  return {
    ...{ title, adapter },
    ...timeline,
    dispatches: launches.map(({ number, name, kernel, params, constants, workgroups, work }, i) => ({
      ...{ number, name, kernel, params, constants, workgroups, ...work },
      ...dispatches[i],
    })),
  };
}

function lines({ title, launches, timeline }: Traced, most: number): string[] {
  const { dispatches, totalMs, quartilesMs, repeats, negative, coarse, stepNs } = timeline;
  const timeOf = ({ number }: WatchedLaunch) => dispatches[number].ms ?? 0;
  const longest = [...launches].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, most);
  const shown = launches.filter((launch) => longest.includes(launch));
  const dropped = [
    ...(negative > 0 ? [`${negative} stamps that go backwards`] : []),
    ...(coarse > 0 ? [`${coarse} of less than four steps of the clock (${stepNs} ns)`] : []),
  ];
  return [
    ...wrap(
      `${title}: ${launches.length} dispatches, ${significant(totalMs)} ms in kernels, adding up their medians; ` +
        `as a whole the middle half of ${repeats} repeats took ${quartilesMs.map(significant).join(' to ')} ms`,
    ),
    ...(dropped.length > 0 ? wrap(`dropped: ${dropped.join(', ')}`) : []),
    '',
    ...formatTable([
      ['dispatch', 'ms', 'middle half', 'share'],
      ...shown.map((launch) => {
        const { ms, quartilesMs } = dispatches[launch.number];
        const name = [launch.number, launch.kernel, shapeText(launch.params), choiceText(launch.constants)];
        return [
          name.filter((part) => part !== '').join(' '),
          ms === undefined ? '–' : significant(ms),
          quartilesMs ? quartilesMs.map(significant).join('–') : '–',
          ms === undefined ? '–' : `${((100 * ms) / totalMs).toFixed(1)} %`,
        ];
      }),
    ]),
  ];
}
