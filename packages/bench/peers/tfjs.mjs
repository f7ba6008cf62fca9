/** TensorFlow.js with its WebGPU backend, as a peer. */
import { registerHooks } from 'node:module';
import { adapterInfo, memory } from './gpu.mjs';
import { serve } from './protocol.mjs';

const tf = await import('@tensorflow/tfjs-core');
const { version_core: version } = tf;
await import('@tensorflow/tfjs-backend-webgpu');
if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs: its WebGPU backend does not start here');
await tf.ready();
await registerGradients();

/** A linear layer, the gradient of its input and that of its weight. */
const PRODUCTS = {
  x·Wᵀ: ({ x, w }) => tf.matMul(x, w, false, true),
  dy·W: ({ dy, w }) => tf.matMul(dy, w),
  dyᵀ·x: ({ dy, x }) => tf.matMul(dy, x, true, false),
};

/** What a task computes: from tensors by name to tensors by name. */
const TASKS = {
  matmul:
    ({ product }) =>
    (inputs) => ({ result: PRODUCTS[product](inputs) }),
  /** Forward and backward of attention: the gradients of Σ o·d_o. Its value is asked for so that o is computed. */
  attention:
    () =>
    ({ q, k, v, d_o }) => {
      const loss = (q, k, v) => tf.sum(tf.mul(attention(q, k, v), d_o));
      const { value, grads } = tf.valueAndGrads(loss)([q, k, v]);
      return { value, q: grads[0], k: grads[1], v: grads[2] };
    },
};

/** TensorFlow.js has no attention of its own; this is how its users write it. [batch, tokens, heads, head_dim] each. */
function attention(...qkv) {
  const [q, k, v] = qkv.map((x) => tf.transpose(x, [0, 2, 1, 3]));
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3]));
  return tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]);
}

await serve({ adapter: adapterInfo, version }, async (task, params, tensors) => {
  if (!TASKS[task]) throw new Error(`tfjs: no task '${task}'`);
  const inputs = Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
  );
  const body = TASKS[task](params);
  const compute = () => body(inputs);
  const first = compute();
  const outputs = {};
  for (const [name, tensor] of Object.entries(first)) {
    outputs[name] = { shape: tensor.shape, data: await tensor.data() };
  }
  tf.dispose(first);
  return { outputs, run: (times) => time(compute, times) };
});

async function time(compute, times) {
  memory.resetPeak();
  const start = performance.now();
  let last;
  for (let i = 0; i < times; i++) {
    if (last) tf.dispose(last);
    last = compute();
  }
  // The queue works in order: when a piece of the last result is here, everything is done.
  const result = Object.values(last).at(-1);
  const piece = tf.slice(
    result,
    result.shape.map(() => 0),
    result.shape.map(() => 1),
  );
  await piece.data();
  const ms = performance.now() - start;
  tf.dispose([piece, last]);
  return { ms, peakBytes: memory.peakBytes };
}

/** Gradients are in the core's modules only, and these are for bundlers: they name each other without `.js`. */
async function registerGradients() {
  const resolve = (specifier, context, next) =>
    next(/^\.{1,2}\/.*(?<!\.js)$/.test(specifier) ? `${specifier}.js` : specifier, context);
  const hooks = registerHooks({ resolve });
  await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
  hooks.deregister();
}
