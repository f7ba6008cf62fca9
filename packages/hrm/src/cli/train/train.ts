import { DeviceLostError, UserError } from '@hrm-webgpu/core';
import { PRESETS, preset } from '../../training/presets.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { DEVICE_HELP, DEVICE_OPTIONS } from '../open-device.ts';
import { duration, print } from '../terminal.ts';
import { accuracyOption } from './loop/early-stop.ts';
import type { RunResult } from './loop/run.ts';
import type { SaveEvery } from './loop/run-notes.ts';
import { resumeRun } from './resume-run.ts';
import { profileRun, startRun } from './start-run.ts';
import { configFrom } from './train-config.ts';

const presets = Object.entries(PRESETS).map(([name, { summary }]) => `  ${name.padEnd(21)}${summary}`);

const help = `usage: hrm train --data DIR --out DIR [--preset NAME] [options]
       hrm train --data DIR --profile [options]
       hrm train --out DIR --resume [--data DIR] [--steps N] [--micro-batch N] [--submit-ms N]

Trains a model on a dataset in the published format (DIR/train/dataset.json, …), evaluates it on a held-out split
as it goes and keeps the best weights. Ctrl-C stops after the current step and saves; --resume goes on with the
same bits.

  --data DIR           the dataset; with --resume only where it has moved
  --out DIR            where the run goes (checkpoint.safetensors, best.safetensors, all_config.yaml, log.jsonl)
  --preset NAME        a published recipe, see below; without it the published defaults
  --config FILE        an all_config.yaml with the published keys, which override the preset; epochs without
                       eval_interval, or with null, mean one evaluation at the end
  --set KEY=VALUE      overrides one published key, e.g. --set lr=1e-3 --set arch.L_cycles=8 (repeatable)
  --steps N            length of the run; default from epochs, as published
  --micro-batch N      work through the batch N rows at a time: less memory, the same training
  --eval-split NAME    split to evaluate on; default 'test'
  --eval-every N       steps between evaluations and checkpoints; default from eval_interval, as published
  --eval-sample N      evaluate a random sample of N examples, the same each time; default all
  --stop-at-train-accuracy X   end the run once exact accuracy in training between two evaluations is X (0.99: 99 %)
  --patience N         end the run after N evaluations without a better one
  --augment sudoku-digits   a random relabelling of the digits in every row of every batch, for Sudokus alone
  --curriculum easy-first   examples with few cells to find out first, widening to all over --curriculum-steps N
                       (default half of the run)
  --save-every N|TIME  save the run after N steps or a time (90s, 5m, 1h); default 5m. It is saved at evaluations and at its end, too
  --keep N             keep the last N checkpoints, DIR/checkpoint-STEP.safetensors; default 2
  --snapshots N        keep the weights of the last N evaluations in DIR/snapshots, for 'hrm eval --checkpoints DIR'
  --tensorboard        write event files for TensorBoard into DIR, too: tensorboard --logdir DIR
  --eager              run op by op instead of recording a step and replaying it (for debugging; the same bits)
  --trace-nan          look at what every kernel writes, and stop at the first that is not finite, naming kernel, tensor
                       and element (slower; the same bits)
  --profile            time each kernel over a few steps, print the table and save nothing
${DEVICE_HELP}
  --resume             go on from DIR/checkpoint.safetensors; with --steps N to another end, and the learning rate follows the
                       schedule of a run of N steps from there on

Presets ('hrm train --preset NAME' without --data says how to build the dataset):
${presets.join('\n')}`;

const OPTIONS = {
  data: { type: 'string' },
  out: { type: 'string' },
  preset: { type: 'string' },
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  steps: { type: 'string' },
  'micro-batch': { type: 'string' },
  'eval-split': { type: 'string' },
  'eval-every': { type: 'string' },
  'eval-sample': { type: 'string' },
  'stop-at-train-accuracy': { type: 'string' },
  patience: { type: 'string' },
  augment: { type: 'string' },
  curriculum: { type: 'string' },
  'curriculum-steps': { type: 'string' },
  snapshots: { type: 'string' },
  keep: { type: 'string' },
  'save-every': { type: 'string' },
  tensorboard: { type: 'boolean' },
  eager: { type: 'boolean', default: false },
  'trace-nan': { type: 'boolean' },
  profile: { type: 'boolean' },
  resume: { type: 'boolean' },
  ...DEVICE_OPTIONS,
} as const;

/** What may be given with --resume: nothing that the numbers of a run depend on, but for its length. */
const WITH_RESUME = [
  'out',
  'resume',
  'data',
  'steps',
  'set',
  'micro-batch',
  'keep',
  'save-every',
  'tensorboard',
  'eager',
  'trace-nan',
  ...Object.keys(DEVICE_OPTIONS),
];

export const train: Command = {
  summary: 'train a model on a dataset',
  help,
  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    const microBatch = wholeNumber('micro-batch', values['micro-batch']);
    if (values.resume) {
      if (!values.out) throw new UserError('give the folder of the run with --out DIR');
      const other = Object.keys(values).find((name) => !WITH_RESUME.includes(name));
      if (other)
        throw new UserError(`--${other} cannot be given with --resume: a run goes on as it was started`);
      const steps = wholeNumber('steps', values.steps);
      const resumed = resumeRun(values.out, { ...values, steps, microBatch, ...savingOf(values) });
      return finishRun(resumed, values.out);
    }
    if (!values.data) throw new UserError(noData(values.preset));
    if (!values.out && !values.profile) throw new UserError('give the folder of the run with --out DIR');
    if (values.profile && values['trace-nan'])
      throw new UserError('--trace-nan cannot be given with --profile: it adds kernels of its own');
    const out = values.out ?? '';
    const options = {
      data: values.data,
      out,
      config: await configFrom(values),
      steps: wholeNumber('steps', values.steps),
      microBatch,
      evalSplit: values['eval-split'],
      evalEvery: wholeNumber('eval-every', values['eval-every']),
      evalSample: wholeNumber('eval-sample', values['eval-sample']),
      stop: {
        trainAccuracy: accuracyOption(values['stop-at-train-accuracy']),
        patience: wholeNumber('patience', values.patience) ?? null,
      },
      augment: values.augment ?? null,
      curriculum: curriculumOf(values),
      snapshots: wholeNumber('snapshots', values.snapshots),
      ...savingOf(values),
      eager: values.eager,
      'trace-nan': values['trace-nan'],
      'no-tune': values['no-tune'],
      'submit-ms': values['submit-ms'],
      shaders: values.shaders,
    };
    if (values.profile) return profileRun(options);
    return finishRun(startRun(options), out);
  },
};

/** Undefined without one; `null` where its length follows from the run's. */
function curriculumOf(values: {
  curriculum?: string;
  'curriculum-steps'?: string;
}): number | null | undefined {
  const steps = wholeNumber('curriculum-steps', values['curriculum-steps']);
  if (values.curriculum === undefined) {
    if (steps !== undefined) throw new UserError('--curriculum-steps goes with --curriculum easy-first');
    return undefined;
  }
  if (values.curriculum !== 'easy-first')
    throw new UserError(`--curriculum ${values.curriculum}: unknown; there is easy-first`);
  return steps ?? null;
}

function savingOf(values: { keep?: string; 'save-every'?: string; tensorboard?: boolean }) {
  const { keep, 'save-every': every, tensorboard } = values;
  return {
    keep: wholeNumber('keep', keep),
    saveEvery: every === undefined ? undefined : saveEvery(every),
    tensorboard,
  };
}

/** `200`: steps; `90s`, `5m`, `1h`. */
function saveEvery(text: string): SaveEvery {
  const [, number, unit] = text.match(/^(\d{1,9})([smh]?)$/) ?? [];
  const value = Number(number);
  if (!(value >= 1))
    throw new UserError(`--save-every ${text}: expected steps (200) or a time (90s, 5m, 1h), at least 1`);
  if (unit === '') return { steps: value, seconds: null };
  return { steps: null, seconds: value * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h'] };
}

function noData(name: string | undefined): string {
  if (name === undefined) return 'give the dataset with --data DIR';
  return `give the dataset with --data DIR. That of preset '${name}' is built with: ${preset(name).data}`;
}

async function finishRun(run: Promise<RunResult>, out: string): Promise<number> {
  const { interrupted, stopped, seconds } = await run.catch((error) => {
    if (!(error instanceof DeviceLostError)) throw error;
    const advice = `Checkpoints saved before are whole; go on with: hrm train --out ${out} --resume`;
    throw new DeviceLostError(`${error.message} ${advice}`, { cause: error });
  });
  if (interrupted) {
    print(`stopped and saved after ${duration(seconds)}; go on with: hrm train --out ${out} --resume`);
    return interrupted;
  }
  if (stopped) print(`stopped early: ${stopped}`);
  print(`trained for ${duration(seconds)}; saved in ${out}`);
  return 0;
}
