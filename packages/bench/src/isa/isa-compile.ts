/**
 * The process in which `bench isa` compiles: the driver prints its statistics straight to stderr, and a crash of it should
 * not be one of `bench`. Its arguments are the kernels. Before each pipeline a line with its number goes to stderr; stdout gets one JSON document.
 */
import { writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type AdapterDescription, specialize } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { create, globals } from 'webgpu';
import { MARK, type Plan, RULED_OUT } from './isa-radv.ts';
import { type Variant, variantsFor } from './isa-variants.ts';

/** A bare device: the engine's makes a buffer, and where there is no hardware, that ends in a crash. */
async function open(instance: GPU): Promise<{ gpu: GPUDevice; description: AdapterDescription }> {
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new Error('no adapter');
  const subgroups = adapter.features.has('subgroups');
  const gpu = await adapter.requestDevice({ requiredFeatures: subgroups ? ['subgroups'] : [] });
  const { vendor, architecture, device, description, subgroupMinSize } = adapter.info;
  return {
    gpu: Object.assign(gpu, { instance }), // which must not be collected while the device lives
    description: {
      ...{ vendor, architecture, device, description },
      class: 'gpu',
      subgroupMinSize: subgroups ? subgroupMinSize : 0,
    },
  };
}

/** @throws Error when the kernel does not compile, other than for a combination of settings that it rules out itself */
async function compile(gpu: GPUDevice, { kernel, constants, tuned }: Variant): Promise<void> {
  const { text } = checks[kernel].kernel;
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ code: specialize(kernel, text, constants) });
  const error = await gpu.popErrorScope();
  // The tuner passes over these as well.
  if (tuned && error?.message.includes('const assertion failed')) {
    writeSync(2, RULED_OUT);
    return;
  }
  if (error) throw new Error(error.message);
  await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
}

process.env.XDG_RUNTIME_DIR ??= tmpdir(); // Mesa complains where it is unset
Object.assign(globalThis, globals);
try {
  const { gpu, description } = await open(create([]) as GPU);
  const plan: Plan = { adapter: description, ...variantsFor(description, process.argv.slice(2)) };
  writeSync(1, JSON.stringify(plan));
  for (const [index, variant] of plan.variants.entries()) {
    writeSync(2, `${MARK}${index}\n`);
    await compile(gpu, variant);
  }
  writeSync(2, `${MARK}end\n`);
} catch (error) {
  writeSync(2, (error as Error).message);
  process.exitCode = 1;
}
process.exit(); // at once: this device does nothing that one might wait for
