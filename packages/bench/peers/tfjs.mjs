/** TensorFlow.js with its WebGPU backend, as a peer. */
import { adapterInfo, memory } from './gpu.mjs';
import { serve } from './protocol.mjs';

const tf = await import('@tensorflow/tfjs-core');
const { version_core: version } = tf;
await import('@tensorflow/tfjs-backend-webgpu');
if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs: its WebGPU backend does not start here');
await tf.ready();

/** A linear layer, the gradient of its input and that of its weight. */
const PRODUCTS = {
  x·Wᵀ: ({ x, w }) => tf.matMul(x, w, false, true),
  dy·W: ({ dy, w }) => tf.matMul(dy, w),
  dyᵀ·x: ({ dy, x }) => tf.matMul(dy, x, true, false),
};

await serve({ adapter: adapterInfo, version }, async (task, { product }, tensors) => {
  if (task !== 'matmul') throw new Error(`tfjs: no task '${task}'`);
  const inputs = Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
  );
  const compute = () => PRODUCTS[product](inputs);
  const first = compute();
  const result = { shape: first.shape, data: await first.data() };
  first.dispose();
  return { outputs: { result }, run: (times) => time(compute, times) };
});

async function time(compute, times) {
  memory.resetPeak();
  const start = performance.now();
  let last;
  for (let i = 0; i < times; i++) {
    last?.dispose();
    last = compute();
  }
  // The queue works in order: when a piece of the last result is here, everything is done.
  const piece = tf.slice(last, [0, 0], [1, 1]);
  await piece.data();
  const ms = performance.now() - start;
  tf.dispose([piece, last]);
  return { ms, peakBytes: memory.peakBytes };
}
