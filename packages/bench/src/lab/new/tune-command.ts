import { parseArgs } from 'node:util';
import { type Device, openDevice, type ParamValues, UserError } from '@hrm-webgpu/core';
import { checks, type Tuned, tunablesIn, tune } from '@hrm-webgpu/kernels/checks';
import { casesOf } from '../../kernels/kernel-cases.ts';
import type { LabCommand } from '../command.ts';
import { shapeOf } from '../shapes.ts';
import { expectKernel } from '../sources.node.ts';
import { reasonToSkip } from '../trial/trial.ts';

const print = (text: string) => process.stdout.write(`${text}\n`);

export const tuneCommand: LabCommand = {
  summary: 'find the fastest values of the // tune: constants of any kernel',
  help: `usage: npm run lab -- tune <kernel> [--shape NAME=N,…]… [--json]

Times the values that the kernel's // tune: constants name, one constant after the other, by turns with the best so far. Each is
compared with the standard ones before it is timed, and these with float64. At the shapes of 'bench kernel <kernel>': those of the
full-size model, else the largest of its check.

Nothing is kept: what is best everywhere belongs into the shader as its default; what depends on shape or adapter, into
'constants' of its definition. ('hrm tune' keeps, per adapter, what the operations of a model are tuned to.)

  --shape …  another shape, e.g. rows=64,columns=512; may be given several times
  --json     one JSON document`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { shape: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } },
    });
    const [kernel, ...rest] = positionals;
    if (kernel === undefined || rest.length > 0) throw new UserError('tune: give one kernel. See --help.');
    expectKernel(kernel);
    if (Object.keys(tunablesIn(kernel, checks[kernel].kernel.text)).length === 0) {
      throw new UserError(
        `${kernel} has nothing to tune: name the values of a constant in shaders/${kernel}.wgsl, ` +
          'as in: const GROUP: u32 = 64; // tune: 32 64 128',
      );
    }
    const given = values.shape?.map((shape) => shapeOf(kernel, shape));
    const device = await openDevice();
    try {
      const skipped = reasonToSkip(checks[kernel].kernel, device);
      if (skipped) throw new UserError(`this adapter cannot run ${kernel}: ${skipped}`);
      const shapes = given ?? casesOf(device, checks[kernel]).map(({ params }) => params);
      const found: Tuned[] = [];
      for (const params of shapes) {
        found.push(await tuneKernel(device, kernel, params));
        if (!values.json) print(formatTuned(found[found.length - 1]));
      }
      if (values.json) print(JSON.stringify({ kernel, tuned: found }, null, 2));
      return 0;
    } finally {
      device.close();
    }
  },
};

/** As an operation that can be done in this way alone, wherever the kernel is meant to be fast. */
function tuneKernel(device: Device, name: string, params: ParamValues): Promise<Tuned> {
  const kernel = { ...checks[name].kernel, madeFor: undefined };
  return tune(device, { operation: { name, kernels: [kernel] }, params }, async (other) => checks[other]);
}

function formatTuned({ key, choice, standardMs, ms, tried, rejected }: Tuned): string {
  const settings = Object.entries(choice.settings).map(([name, value]) => `${name}=${value}`);
  const outcome =
    settings.length > 0
      ? `${standardMs.toFixed(3)} → ${ms.toFixed(3)} ms, ${(standardMs / ms).toFixed(2)} × as fast: ${settings.join(' ')}`
      : `${ms.toFixed(3)} ms: its defaults`;
  const others = `(${tried} others tried${settings.length > 0 ? '' : ', none better by enough'})`;
  return [key, `    ${outcome} ${others}`, ...rejected.map((why) => `    rejected: ${why}`)].join('\n');
}
