// Asks Dawn for an adapter in a process of its own (a driver that crashes takes only this process with it).
// Prints one JSON line: the adapter's info, or null when there is none. Exit code 0 either way.
import { openGpu } from '../packages/core/dist/gpu.node.js';

const gpu = await openGpu();
const adapter = await gpu.requestAdapter();
const info = adapter?.info;
console.log(
  JSON.stringify(info ? { vendor: info.vendor, device: info.device, description: info.description } : null),
);
