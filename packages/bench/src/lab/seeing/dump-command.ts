import { parseArgs } from 'node:util';
import { openDevice, UserError } from '@hrm-webgpu/core';
import { readShaders, writeFileAtomic } from 'hrm-webgpu/node';
import { formatTable } from '../../timing/table.ts';
import type { LabCommand } from '../command.ts';
import { makeModelStep } from './step/model-step.ts';
import { STEP_HELP, STEP_OPTIONS, stepChoiceOf } from './step/step-options.ts';
import { type Output, recordStep, runUpTo, type Walkable } from './step/walk.ts';
import { type Dumped, encoderFor } from './tensor-file.ts';

export const dumpCommand: LabCommand = {
  summary: 'write what a step computes on its way, by name, as npy or safetensors',
  help: `usage: npm run lab -- dump <name>… --out FILE.npy|FILE.safetensors [--step N] [options]
       npm run lab -- dump --list [options]

Writes tensors as a launch of a training step has just written them. Names are those of the tape: linear.17 is the
output of the 18th linear op of the step (those under noGrad count as well), attention.0:log_sum_exp another tensor that
the op writes, linear.17.backward:c one of its gradient rule, and act_step.0:halted one of a kernel that no op recorded.
Weights, their gradients (<weight>.grad) and what the step gives (logits, q, metrics) go by those names too. A number is
all that this launch writes. --list shows them, with their launches and shapes.

  --out FILE     .npy for one tensor, .safetensors for any number
  --list         lists the names
${STEP_HELP}
  --shaders DIR  kernels from another folder; those that are not there are ours`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...STEP_OPTIONS,
        out: { type: 'string' },
        list: { type: 'boolean', default: false },
        shaders: { type: 'string' },
      },
    });
    const choice = stepChoiceOf(values);
    const { out = '', list } = values;
    if (!list && positionals.length === 0) throw new UserError('give the names of tensors, or --list');
    const encode = list ? undefined : encoderFor(out);
    const device = await openDevice({
      shaders: values.shaders ? await readShaders(values.shaders) : undefined,
    });
    try {
      const step = await makeModelStep(device, choice);
      const recorded = recordStep(device, step);
      const { outputs } = recorded;
      if (!encode) print(formatTable([['tensor', 'launch', 'kernel', 'shape'], ...outputs.map(rowOf)]));
      else {
        const wanted = labelled(positionals, outputs);
        await runUpTo(device, recorded, choice.step);
        const found = await dumped(recorded, wanted);
        await writeFileAtomic(out, [encode(found, choice.step)]);
        print(found.map(lineOf));
      }
      recorded.dispose();
      step.dispose();
      return 0;
    } finally {
      device.close();
    }
  },
};

const print = (lines: readonly string[]) => void process.stdout.write(`${lines.join('\n')}\n`);

const lineOf = ({ label, output: { dtype, shape, launch } }: Dumped) =>
  `${label} [${shape.join(', ')}] ${dtype}, of launch ${launch.number}, ${launch.kernel}`;

const rowOf = ({ name, alias, launch, shape, dtype }: Output) => [
  alias === undefined ? name : `${name} ${alias}`,
  String(launch.number),
  launch.kernel,
  `${dtype} ${shape.join('×')}`,
];

/** What was asked for, with the names that it was asked for by where those are a tensor's own. */
function labelled(names: readonly string[], outputs: readonly Output[]): Map<Output, string> {
  const wanted = new Map<Output, string>();
  for (const name of names)
    for (const output of outputsNamed(name, outputs))
      wanted.set(output, output.alias === name ? name : output.name);
  return wanted;
}

async function dumped(step: Walkable, wanted: ReadonlyMap<Output, string>): Promise<Dumped[]> {
  const found: Dumped[] = [];
  await step.walk({
    wants: (output) => wanted.has(output),
    visit: async (output, words) => void found.push({ label: wanted.get(output) as string, output, words }),
  });
  return found;
}

/**
 * @throws UserError for a name that there is not
 */
function outputsNamed(name: string, outputs: readonly Output[]): Output[] {
  const found = outputs.filter((output) =>
    /^\d+$/.test(name)
      ? output.launch.number === Number(name)
      : [output.name, output.alias, output.launch.name].includes(name),
  );
  const exact = found.filter((output) => [output.name, output.alias].includes(name));
  if (found.length > 0) return exact.length > 0 ? exact : found;
  const op = name.split(/[.:]/)[0];
  const alike = [
    ...new Set(outputs.filter((output) => output.name.startsWith(op)).map((output) => output.name)),
  ];
  const hint = alike.length > 0 ? `; of ${op} there are ${alike[0]} to ${alike[alike.length - 1]}` : '';
  throw new UserError(`the step has no tensor '${name}'${hint}: --list shows all`);
}
