/** A peer that computes nothing: it follows the protocol, and fails in the ways that its argument names. */
import { serve } from '../../peers/protocol.mjs';

const [fault] = process.argv.slice(2);
if (fault === 'dies at once') {
  console.error('Warning: limit artificially reduced\nno driver for this planet');
  process.exit(3);
}
if (fault === 'never greets') {
  setInterval(() => {}, 1000);
} else {
  console.log('a library that greets its users on stdout');
  const adapter = { vendor: 'v', architecture: 'a', device: 'd', description: 'fake' };
  await serve({ adapter, version: '1.2.3' }, async (task, { factor }, { x }) => {
    if (fault === 'cannot') throw new Error(`no kernel for ${task}`);
    const run = (times) => {
      if (fault === 'dies in a run') process.kill(process.pid, 'SIGKILL');
      if (fault === 'hangs in a run') return new Promise(() => {});
      return { ms: 2 * times, peakBytes: 64 };
    };
    return { outputs: { y: { shape: x.shape, data: x.data.map((value) => factor * value) } }, run };
  });
}
