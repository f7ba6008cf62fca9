// Asks Dawn for an adapter in a process of its own (a driver that crashes takes only this process with it).
// Prints the adapter's name on stdout, or the reason on stderr and exits with 1 when there is none.
import { openAdapter } from '../packages/core/dist/gpu.node.js';

try {
  const { adapter } = await openAdapter();
  console.log(adapter.info.description || adapter.info.device || adapter.info.vendor);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
