import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  adapterName,
  type ConstantValues,
  type Device,
  openDevice,
  type ParamValues,
  Philox,
  parseShader,
  specialize,
  UserError,
} from '@hrm-webgpu/core';
import { checks, contentsFor, planLaunch } from '@hrm-webgpu/kernels/checks';
import { type Compiled, compileWithRadv, FAMILY } from '../../isa/isa-radv.ts';
import { quickRoofline, type Roofline, rooflineFloor } from '../../timing/roofline.ts';
import { formatTable, significant, wrap } from '../../timing/table.ts';
import { deviceStopwatch } from '../../timing/timing.ts';
import type { LabCommand } from '../command.ts';
import { shapeOf } from '../shapes.ts';
import { expectKernel, readShader, SHADERS } from '../sources.node.ts';
import { reasonToSkip } from '../trial/trial.ts';
import { labelled } from './labelled.ts';
import { bindingTypes, workgroupFacts } from './specialised.ts';

export const showCommand: LabCommand = {
  summary: 'what a kernel is at a shape: its text, bindings, dispatch, memory, work, bound',
  help: `usage: npm run lab -- show <kernel> [--shape NAME=N,…] [--set NAME=VALUE,…] [--json]

Prints the text of a kernel with its constants as they are for this adapter and shape, its bindings with their bytes,
the dispatch, workgroup memory, FLOPs, bytes and arithmetic intensity, and the least time that the adapter allows, by a
roofline that is measured for it (some ten seconds). Last, what it compiles to on an AMD GPU (${FAMILY}) that need not
be there, as bench isa has it of the last build, where Mesa's RADV is installed.

  --shape …      the shape, e.g. m=64,n=128; default one of the published model's
  --set …        constants in the place of the defaults, e.g. ROWS=4,PACKS=2
  --no-text      without the text
  --no-roofline  without the bound
  --no-isa       without what it compiles to
  --shaders DIR  another folder of shaders
  --json         one JSON document`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        shape: { type: 'string' },
        set: { type: 'string' },
        'no-text': { type: 'boolean', default: false },
        'no-roofline': { type: 'boolean', default: false },
        'no-isa': { type: 'boolean', default: false },
        shaders: { type: 'string', default: SHADERS },
        json: { type: 'boolean', default: false },
      },
    });
    const [name, ...rest] = positionals;
    if (name === undefined || rest.length > 0) throw new UserError('give one kernel. See --help.');
    expectKernel(name);
    const text = await readShader(resolve(values.shaders), name);
    if (text === undefined) throw new UserError(`there is no ${values.shaders}/${name}.wgsl`);
    const params = shapeOf(name, values.shape);
    const settings = settingsOf(name, text, values.set);
    const device = await openDevice();
    try {
      const facts = await factsOf(device, name, text, params, settings);
      const roofline = values['no-roofline']
        ? undefined
        : await quickRoofline(device, deviceStopwatch(device));
      const ours = values.shaders === SHADERS; // `bench isa` knows no others
      const isa = ours && !values['no-isa'] ? await isaOf(name) : undefined;
      if (values.json) process.stdout.write(`${JSON.stringify(documentOf(facts, roofline, isa), null, 2)}\n`);
      else
        process.stdout.write(
          `${[...(values['no-text'] ? [] : [facts.text.trimEnd(), '']), ...lines(facts, roofline, isa)].join('\n')}\n`,
        );
      return 0;
    } finally {
      device.close();
    }
  },
};

/** @throws UserError for a constant that the kernel has not */
function settingsOf(name: string, text: string, list: string | undefined): ConstantValues {
  const { constants } = parseShader(name, text);
  return Object.fromEntries(
    (list?.split(',') ?? []).map((entry) => {
      const [constant, value] = entry.split('=');
      if (!constants.has(constant) || !value)
        throw new UserError(
          `--set ${entry}: expected NAME=VALUE with one of ${name}'s constants: ${[...constants.keys()].join(', ') || 'it has none'}`,
        );
      return [constant, Number.isFinite(Number(value)) ? Number(value) : value];
    }),
  );
}

/** Above that, the bytes of each binding, which are counted by making it, are left out. */
const MOST_BYTES = 2 ** 28;

type Facts = Awaited<ReturnType<typeof factsOf>>;

async function factsOf(
  device: Device,
  name: string,
  text: string,
  params: ParamValues,
  settings: ConstantValues,
) {
  const check = checks[name];
  const kernel = { ...check.kernel, text };
  const planned = planLaunch(kernel, params, settings, device.adapter.class);
  const specialised = specialize(name, text, planned.constants);
  const refused = await device.program(kernel, planned.constants).attempt();
  if (refused) throw new UserError(refused);
  const { threads, memory } = await workgroupFacts(device, name, specialised);
  const types = bindingTypes(specialised);
  const { flops, bytes } = planned.work;
  const contents = bytes < MOST_BYTES ? contentsFor(check, params, new Philox(1)) : {};
  const bindings = parseShader(name, text).bindings.map(({ name: binding, access, index }) => ({
    ...{ binding, index, access, type: types.get(binding) ?? '' },
    bytes: contents[binding]?.byteLength,
  }));
  return {
    ...{
      kernel: name,
      adapter: adapterName(device),
      params,
      constants: planned.constants,
      text: specialised,
    },
    bindings,
    workgroups: planned.workgroups,
    threads,
    memory,
    flops,
    bytes,
    intensity: flops / bytes,
    skipped: reasonToSkip(kernel, device),
  };
}

/** What RADV makes of the kernel: with its defaults for GPUs, and with what its check tries; or why that is not known. */
async function isaOf(name: string): Promise<{ compiled: readonly Compiled[] } | { missing: string }> {
  try {
    const { compiled, plan } = await compileWithRadv([name]);
    if (plan.skipped.includes(name)) return { missing: `${FAMILY} has not the subgroups that it needs` };
    return { compiled: compiled.filter(({ tuned }) => tuned === undefined) };
  } catch (error) {
    if (error instanceof UserError) return { missing: error.message };
    throw error;
  }
}

type Isa = Awaited<ReturnType<typeof isaOf>>;

function documentOf(facts: Facts, roofline: Roofline | undefined, isa: Isa | undefined) {
  const bound = roofline && rooflineFloor(facts, roofline);
  return { ...facts, ...(roofline ? { roofline, bound } : {}), ...(isa ? { isa } : {}) };
}

function lines(facts: Facts, roofline: Roofline | undefined, isa: Isa | undefined): string[] {
  const { kernel, params, constants, bindings, workgroups, threads, memory, flops, bytes, intensity } = facts;
  const product = (extents: readonly number[]) => extents.reduce((a, b) => a * b, 1);
  const total = product(workgroups) * product(threads);
  const pairs = (values: ConstantValues) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ') || 'none';
  const used = memory.reduce((sum, array) => sum + array.bytes, 0);
  const rows = [
    ['shape', pairs(params)],
    ['constants', `${pairs(constants)} (beside those in the file)`],
    [
      'dispatch',
      `${workgroups.join(' × ')} workgroups of ${threads.join(' × ')} threads: ${total.toLocaleString('en')} threads`,
    ],
    [
      'memory',
      used > 0
        ? `${used} bytes of workgroup memory: ${memory.map(({ name, type, count }) => `${name} ${count} × ${type}`).join(', ')}`
        : 'no workgroup memory',
    ],
    ['work', `${count(flops)}FLOP, ${count(bytes)}B at least: ${significant(intensity)} FLOP a byte`],
    ...(roofline ? [['bound', boundText(facts, roofline)]] : []),
    ...(facts.skipped ? [['here', `not run: ${facts.skipped}`]] : []),
  ];
  return [
    ...wrap(`${kernel} on ${facts.adapter}`),
    '',
    ...rows.flatMap(([label, text]) => labelled(label, text)),
    '',
    ...formatTable([
      ['binding', 'index', 'access', 'type', 'bytes'],
      ...bindings.map((each) => [
        each.binding,
        String(each.index),
        each.access,
        each.type,
        each.bytes?.toLocaleString('en') ?? '–',
      ]),
    ]),
    ...(isa ? ['', ...isaLines(isa)] : []),
  ];
}

function boundText(facts: Facts, roofline: Roofline): string {
  const { ms, bound } = rooflineFloor(facts, roofline);
  const { fmaGflops, copyGBs } = roofline;
  return (
    `${significant(ms * 1000)} µs by ${bound}: ${significant(fmaGflops)} GFLOP/s and ${significant(copyGBs)} GB/s measured, so that ` +
    `arithmetic counts from ${significant(fmaGflops / copyGBs)} FLOP a byte on`
  );
}

function isaLines(isa: Isa): string[] {
  if ('missing' in isa) return labelled('isa', isa.missing);
  const header = [`${FAMILY} with`, 'VGPR', 'SGPR', 'spills', 'LDS', 'waves', 'cycles', 'FMAs', 'loads'];
  return formatTable([header, ...isa.compiled.map(isaRow)]);
}

function isaRow({ constants, innerLoop, ...stats }: Compiled): string[] {
  const { vgprs, sgprs, spilledVgprs, spilledSgprs, ldsBytes, waves, latency } = stats;
  const settings = Object.entries(constants).map(([name, value]) => `${name}=${value}`);
  return [
    settings.join(' ') || 'the defaults',
    ...[vgprs, sgprs, spilledVgprs + spilledSgprs, ldsBytes, waves, latency].map(String),
    ...(innerLoop ? [innerLoop.fmas, innerLoop.memory].map(String) : ['–', '–']),
  ];
}

/** `1.23 G`: to be followed by a unit. */
function count(value: number): string {
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  const power = Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  return `${power === 0 ? value : significant(value / 1000 ** power)} ${prefixes[power]}`;
}
