import { adapterName, type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { observeLaunches } from '@hrm-webgpu/kernels';
import { checks, problemOf, runCheck, selfCheck } from '@hrm-webgpu/kernels/checks';
import { DEFAULT_ARCH } from '../model/config.ts';
import { initializeModel } from '../model/init.ts';
import { recordInference, recordTraining } from '../tuning/tuning-uses.ts';
import type { Command } from './command.ts';
import { parse } from './command.ts';
import { bold, dim, green, print, red } from './terminal.ts';

/** The limits that shapes run into, and their units. */
const LIMITS = [
  ['maxBufferSize', 'MiB'],
  ['maxStorageBufferBindingSize', 'MiB'],
  ['maxStorageBuffersPerShaderStage', ''],
  ['maxComputeInvocationsPerWorkgroup', ''],
  ['maxComputeWorkgroupStorageSize', 'bytes'],
  ['maxComputeWorkgroupsPerDimension', ''],
] as const;

/** Features that the engine uses where they are there, and what is lost without them. */
const FEATURES: [GPUFeatureName, string][] = [
  ['subgroups', 'the faster matmul; without it the plain register tile runs'],
  ['timestamp-query', 'times of single kernels'],
  ['shader-f16', 'nothing yet: all kernels compute in f32'],
];

export const doctor: Command = {
  summary: 'show the adapter and prove that it computes correctly',
  help: `usage: hrm doctor [--full]

Prints adapter, driver, features and limits, what is missing and how to mend it, and checks every kernel that a model uses
here against float64, at one awkward shape. Exit code 1 when there is no adapter or it computes wrongly.

  --full   every kernel there is, in all shapes and variants of its check: minutes`,

  async run(args) {
    const { values, positionals } = parse(args, { full: { type: 'boolean', default: false } });
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    print(bold('machine'));
    print(`  node ${process.versions.node}, ${process.platform} ${process.arch}`);
    let device: Device;
    try {
      device = await openDevice();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      print(`${bold('adapter')}\n  ${red('none')}`);
      throw error;
    }
    try {
      describe(device);
      print(bold('kernels'));
      const wrong = values.full ? await checkAll(device) : await checkUsed(device);
      if (wrong === 0) return 0;
      throw new UserError(
        `this adapter computes ${wrong} kernel${wrong === 1 ? '' : 's'} wrongly: update its driver, or use another adapter`,
      );
    } finally {
      device.close();
    }
  },
};

function describe(device: Device): void {
  const { adapter, gpu, limits } = device;
  print(bold('adapter'));
  print(`  ${adapterName(device)}`);
  print(
    `  vendor ${adapter.vendor || '–'}, architecture ${adapter.architecture || '–'}, class ${adapter.class}`,
  );
  if (adapter.class === 'software')
    print('  it runs on the CPU; a GPU with a Vulkan, Metal or D3D12 driver is far faster');
  print(bold('features'));
  for (const [feature, use] of FEATURES) {
    const there = gpu.features.has(feature);
    const detail = feature === 'subgroups' && there ? ` (at least ${adapter.subgroupMinSize} lanes)` : '';
    print(`  ${there ? green('yes') : 'no '}  ${feature}${detail}${there ? '' : ` — for ${use}`}`);
  }
  print(bold('limits'));
  for (const [name, unit] of LIMITS) {
    const value = unit === 'MiB' ? Math.floor(limits[name] / 2 ** 20) : limits[name];
    print(`  ${name.padEnd(36)}${value} ${unit}`);
  }
}

/** Checks what a model launches on this device; returns how many are wrong. */
async function checkUsed(device: Device): Promise<number> {
  const sizes = { hidden_size: 128, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 128 };
  const data = { vocab_size: 11, seq_len: 81, num_puzzle_identifiers: 1 };
  const model = await initializeModel(device, { ...DEFAULT_ARCH, ...sizes, ...data }, 0);
  const launched = observeLaunches(device, () => {
    recordTraining(model, 8);
    recordInference(model, 1);
  });
  let wrong = 0;
  for (const one of launched) {
    const { problem, params } = await selfCheck(device, one);
    report(one.kernel.name, problem, JSON.stringify(params).replace(/[{}"]/g, '').replaceAll(',', ' '));
    if (problem) wrong += 1;
  }
  model.dispose();
  return wrong;
}

/** Every case of every check; returns how many kernels are wrong. */
async function checkAll(device: Device): Promise<number> {
  let wrong = 0;
  for (const check of Object.values(checks)) {
    const { name, needs } = check.kernel;
    if (needs && !needs(device.adapter)) {
      print(`  ${dim('–    ')} ${name.padEnd(NAME)}${dim('this adapter cannot run it')}`);
      continue;
    }
    let count = 0;
    let problem: string | undefined;
    for (const params of check.cases) {
      for (const constants of [{}, ...(check.variants ?? [])]) {
        count += 1;
        const wrong = problemOf(await runCheck(device, check, params, { constants }));
        if (wrong) problem ??= `${wrong} (${JSON.stringify({ ...params, ...constants })})`;
      }
    }
    report(name, problem, `${count} cases`);
    if (problem) wrong += 1;
  }
  return wrong;
}

/** Columns of the longest kernel's name, and a space. */
const NAME = 1 + Math.max(...Object.keys(checks).map((name) => name.length));

/** A line of the table, in 80 columns where all is right. */
function report(name: string, problem: string | undefined, checked: string): void {
  const verdict = problem ? red('WRONG') : green('ok   ');
  const room = 80 - '  ok    '.length - NAME;
  const shown = problem ?? (checked.length > room ? `${checked.slice(0, room - 1)}…` : checked);
  print(`  ${verdict} ${name.padEnd(NAME)}${problem ? shown : dim(shown)}`);
}
