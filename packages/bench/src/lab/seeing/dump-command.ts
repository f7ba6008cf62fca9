import { parseArgs } from 'node:util';
import { openDevice, UserError } from '@hrm-webgpu/core';
import { encodeNpyHeader, encodeSafetensors, readShaders, writeFileAtomic } from 'hrm-webgpu/node';
import { formatTable } from '../../timing/table.ts';
import type { LabCommand } from '../command.ts';
import { makeModelStep } from './step/model-step.ts';
import { STEP_HELP, STEP_OPTIONS, stepChoiceOf } from './step/step-options.ts';
import { numbersOf, type Output, recordStep, runUpTo } from './step/walk.ts';

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
    const write = values.list ? undefined : writerOf(values.out, positionals);
    const device = await openDevice({
      shaders: values.shaders ? await readShaders(values.shaders) : undefined,
    });
    try {
      const step = await makeModelStep(device, choice);
      const recorded = recordStep(device, step);
      const { outputs } = recorded;
      if (!write) {
        process.stdout.write(
          `${formatTable([['tensor', 'launch', 'kernel', 'shape'], ...outputs.map(rowOf)]).join('\n')}\n`,
        );
        return 0;
      }
      const wanted = new Map(
        positionals.flatMap((name) => outputsNamed(name, outputs)).map((each) => [each.name, each]),
      );
      if (values.out?.endsWith('.npy') && wanted.size > 1)
        throw new UserError(
          `${positionals.join(' ')}: ${wanted.size} tensors (${[...wanted.keys()].join(', ')}), but .npy holds one`,
        );
      await runUpTo(device, recorded, choice.step);
      const found: Dumped[] = [];
      await recorded.walk({
        wants: ({ name }) => wanted.has(name),
        visit: async (output, words) => void found.push({ output, words }),
      });
      await write(found, choice.step);
      for (const { output } of found)
        process.stdout.write(
          `${output.name} [${output.shape.join(', ')}] ${output.dtype}, of ${output.launch.kernel}\n`,
        );
      recorded.dispose();
      step.dispose();
      return 0;
    } finally {
      device.close();
    }
  },
};

interface Dumped {
  output: Output;
  words: Uint32Array;
}

const rowOf = ({ name, alias, launch, shape, dtype }: Output) => [
  alias === undefined ? name : `${name} ${alias}`,
  String(launch.number),
  launch.kernel,
  `${dtype} ${shape.join('×')}`,
];

/**
 * @throws UserError for a name that there is not
 */
export function outputsNamed(name: string, outputs: readonly Output[]): Output[] {
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

/** @throws UserError where the command line does not say what to write, or where */
function writerOf(file: string | undefined, names: readonly string[]) {
  if (names.length === 0) throw new UserError('give the names of tensors, or --list');
  const format = file?.match(/\.(npy|safetensors)$/)?.[1];
  if (file === undefined || !format)
    throw new UserError(`--out ${file ?? ''}: expected FILE.npy or FILE.safetensors`);
  return async (found: readonly Dumped[], step: number) => {
    const bytes = format === 'npy' ? npyOf(found[0]) : safetensorsOf(found, step);
    await writeFileAtomic(file, [bytes]);
  };
}

const NPY_TYPES = { f32: '<f4', i32: '<i4', u32: '<u4' } as const;

function npyOf({ output, words }: Dumped): Uint8Array {
  return Buffer.concat([encodeNpyHeader(NPY_TYPES[output.dtype], [...output.shape]), bytesOf(words)]);
}

function safetensorsOf(found: readonly Dumped[], step: number): Uint8Array {
  const tensors = found.map(({ output: { name, dtype, shape }, words }) => {
    const type = dtype.toUpperCase() as 'F32' | 'I32' | 'U32';
    return [name, { dtype: type, shape, data: numbersOf(words, dtype) }] as const;
  });
  return Buffer.concat(encodeSafetensors(new Map(tensors), { step: String(step) }));
}

const bytesOf = (words: Uint32Array) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
