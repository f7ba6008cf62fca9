// Asks Dawn for an adapter in a process of its own (a driver that crashes takes only this process with it).
// Prints the adapter's name on stdout, or the reason on stderr and exits with 1 when there is none. With
// --no-fallback, Chromium's SwiftShader does not count: it works, but Mesa's lavapipe is several times as fast.
import { openAdapter } from '../packages/core/dist/gpu.node.js';

try {
  const { adapter } = await openAdapter(!process.argv.includes('--no-fallback'));
  console.log(adapter.info.description || adapter.info.device || adapter.info.vendor);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
