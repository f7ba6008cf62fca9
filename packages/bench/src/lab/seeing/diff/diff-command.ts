import { parseArgs } from 'node:util';
import { UserError } from '@hrm-webgpu/core';
import { place } from '@hrm-webgpu/kernels/checks';
import { wrap } from '../../../timing/table.ts';
import type { LabCommand } from '../../command.ts';
import { labelled } from '../labelled.ts';
import { STEP_HELP, STEP_OPTIONS, stepChoiceOf } from '../step/step-options.ts';
import { type Difference, differenceOf } from './difference.ts';
import type { SideOutput } from './protocol.ts';
import { Side } from './side.node.ts';
import { VARIANT_HELP, variantOf } from './variants.ts';

export const diffCommand: LabCommand = {
  summary: 'run two variants of a step side by side, and name the first launch that differs',
  help: `usage: npm run lab -- diff <A> <B> [--step N] [--allow REL] [options]

Makes the same training step with the same inputs in two variants, each in a process of its own, and compares what each
launch has written, bit by bit, in order. Names the first tensor that differs, its launch and kernel, in how many
elements, and the worst of them with its place, both values and the distance in ulp. Tensors are paired by the tape's
names (see lab dump), as two adapters may take other kernels for the same op. Exit code 0 where all are the same, 1
where one differs.

A and B are one of these, or several with commas between them:

${VARIANT_HELP}

  --allow REL    passes over differences up to so much of the largest number of a tensor: adapters round differently
${STEP_HELP}
  --json         one JSON document`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...STEP_OPTIONS,
        allow: { type: 'string', default: '0' },
        json: { type: 'boolean', default: false },
      },
    });
    if (positionals.length !== 2) throw new UserError('give two variants. See --help.');
    const allowed = Number(values.allow);
    if (!(allowed >= 0))
      throw new UserError(`--allow ${values.allow}: expected a number of at least 0, e.g. 1e-5`);
    const { step, ...choice } = stepChoiceOf(values);
    const sides = positionals.map(variantOf).map((variant) => new Side(variant)) as [Side, Side];
    try {
      for (const side of sides) await side.start({ choice, step }); // one after the other: they share the GPU
      const result = await compareSides(sides, allowed);
      const document = { sides: sides.map(describeSide), step, ...result };
      if (values.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      else process.stdout.write(`${lines(sides, step, result).join('\n')}\n`);
      return result.first ? 1 : 0;
    } finally {
      for (const side of sides) side.close();
    }
  },
};

const describeSide = ({ variant: { name }, adapter, outputs }: Side) => ({
  name,
  adapter,
  tensors: outputs.length,
});

interface First {
  a: SideOutput;
  b: SideOutput;
  difference: Difference;
}

interface Result {
  /** Tensors that both have. */
  paired: number;
  /** Those that were compared: all before the first that differs. */
  compared: number;
  /** Those that differ by no more than is allowed. */
  passedOver: number;
  first?: First;
}

/** @throws UserError where the two have no tensor in common */
async function compareSides([a, b]: readonly [Side, Side], allowed: number): Promise<Result> {
  const theirs = new Map(b.outputs.map((output) => [output.name, output]));
  const shapeOf = (output: SideOutput | undefined) => `${output?.dtype} ${output?.shape}`;
  const pairs = a.outputs.filter((output) => shapeOf(theirs.get(output.name)) === shapeOf(output));
  if (pairs.length === 0) throw new UserError('the two have no tensor in common');
  const result: Result = { paired: pairs.length, compared: 0, passedOver: 0 };
  for (const side of [a, b]) side.walk(pairs.map(({ name }) => name));
  for (const output of pairs) {
    const [one, other] = [await a.output(), await b.output()];
    if (one?.name !== output.name || other?.name !== output.name)
      throw new UserError(
        `the two do not come to their tensors in the same order: ${one?.name}, ${other?.name}`,
      );
    result.compared += 1;
    if (one.digest !== other.digest) {
      const difference = differenceOf(await a.contents(), await b.contents(), output.dtype);
      if (difference && difference.relative > allowed)
        return { ...result, first: { a: output, b: theirs.get(output.name) as SideOutput, difference } };
      result.passedOver += 1;
    }
    a.next();
    b.next();
  }
  return result;
}

function lines([a, b]: readonly [Side, Side], step: number, result: Result): string[] {
  const { paired, compared, passedOver, first } = result;
  const alone = [a, b].map((side) => side.outputs.length - paired);
  const unpaired = alone.some((count) => count > 0)
    ? `; ${alone[0]} that A has alone, ${alone[1]} that B has alone`
    : '';
  const passed = `within what is allowed, ${passedOver} of them with other bits`;
  return [
    ...labelled('A', `${a.variant.name}, on ${a.adapter}`),
    ...labelled('B', `${b.variant.name}, on ${b.adapter}`),
    ...labelled('step', `${step}, ${a.title}; ${paired} tensors that both write${unpaired}`),
    '',
    ...(first
      ? [
          ...firstLines(first),
          ...labelled('before it', `${compared - 1} tensors, ${passedOver > 0 ? passed : 'all the same'}`),
        ]
      : wrap(`the same: all ${compared} tensors ${passedOver > 0 ? `are ${passed}` : 'have the same bits'}`)),
  ];
}

function firstLines({ a, b, difference }: First): string[] {
  const { count, at, error, relative, ulp } = difference;
  const size = a.shape.reduce((product, extent) => product * extent, 1);
  const kernels = a.kernel === b.kernel ? a.kernel : `${a.kernel} (A), ${b.kernel} (B)`;
  const distance = ulp === undefined ? '' : `, ${ulp < 1e6 ? ulp : ulp.toExponential(1)} ulp`;
  const off = Number.isFinite(error)
    ? `, off by ${error.toExponential(1)} (${relative.toExponential(1)} of the largest${distance})`
    : '';
  const shape = Object.entries(a.params).map(([name, value]) => `${name} ${value}`);
  return [
    ...wrap(`different: launch ${a.launch}, ${kernels}, writes ${a.name}`),
    ...labelled('shape', shape.join(', ')),
    ...labelled('binding', `${a.binding} [${a.shape.join(', ')}]: ${count} of ${size} elements differ`),
    ...labelled(
      'worst',
      `${place(at, a.shape)}: A has ${shown(difference.a)}, B ${shown(difference.b)}${off}`,
    ),
  ];
}

const shown = (value: number) => (Number.isInteger(value) ? String(value) : value.toPrecision(9));
