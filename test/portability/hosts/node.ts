/** Runs the suite in Node, on Dawn with other toggles, features, limits. Prints the report as one line of JSON. */
import { OPTIONAL_FEATURES, openDevice, RAISED_LIMITS, wrapDevice } from '@hrm-webgpu/core';
import { create } from 'webgpu';
import { folderFiles } from '../../../packages/hrm/src/parity/folder.node.ts';
import { runSuite, type SuiteOptions } from '../suite.ts';

/** How the device is opened; what is absent is as the library does it. */
interface DawnOptions {
  /** Words for Dawn, e.g. `enable-dawn-features=disable_robustness`. */
  words?: string[];
  /** Features that are not asked for. */
  without?: GPUFeatureName[];
  /** WebGPU's default limits and no features at all. */
  bare?: boolean;
}

const {
  fixtures,
  suite,
  dawn = {},
} = JSON.parse(process.argv[2]) as {
  fixtures: string;
  suite: SuiteOptions;
  dawn?: DawnOptions;
};

/** Instances must outlive their devices, and what no one reads any more is collected, module-level or not. */
const instances: GPU[] = [];
Object.assign(globalThis, { instances });
async function open() {
  if (!dawn.words && !dawn.without && !dawn.bare) return openDevice();
  const instance = create(dawn.words ?? []);
  instances.push(instance);
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new Error('no adapter');
  const requiredFeatures = OPTIONAL_FEATURES.filter(
    (feature) => adapter.features.has(feature) && !dawn.without?.includes(feature),
  );
  const requiredLimits = Object.fromEntries(RAISED_LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  const gpu = await adapter.requestDevice(dawn.bare ? {} : { requiredFeatures, requiredLimits });
  const adapterClass = process.env.HRM_ADAPTER_CLASS as 'gpu' | undefined;
  return wrapDevice(gpu, { adapterClass });
}

const report = await runSuite(open, (name) => folderFiles(`${fixtures}/${name}`), suite);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
