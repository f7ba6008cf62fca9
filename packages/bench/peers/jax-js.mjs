/** jax-js as a peer. Arguments of its operations are consumed; `.ref` keeps them. */
import { readFileSync } from 'node:fs';
import { adapterInfo, memory } from './gpu.mjs';
import { trainingCall } from './jax-js-hrm.mjs';
import { serve } from './protocol.mjs';

const jax = await import('@jax-js/jax');
const { jit, nn, numpy: np, tree, valueAndGrad } = jax;
if (!(await jax.init()).includes('webgpu')) throw new Error('jax-js: its WebGPU backend does not start here');
jax.defaultDevice('webgpu');

/** A linear layer, the gradient of its input and that of its weight. */
const PRODUCTS = {
  x·Wᵀ: ({ x, w }) => np.matmul(x, w.transpose()),
  dy·W: ({ dy, w }) => np.matmul(dy, w),
  dyᵀ·x: ({ dy, x }) => np.matmul(dy.transpose(), x),
};

/** What a task computes: from arrays by name to arrays by name. */
const TASKS = {
  matmul({ product }) {
    const multiply = jit(PRODUCTS[product]);
    return (inputs) => ({ result: multiply(inputs) });
  },
  /** Forward and backward of attention: the gradients of Σ o·d_o. Its value is asked for so that o is computed. */
  attention() {
    const loss = ({ q, k, v }, d_o) => nn.dotProductAttention(q, k, v).mul(d_o).sum();
    const both = jit(valueAndGrad(loss));
    return ({ d_o, ...qkv }) => {
      const [value, gradients] = both(qkv, d_o);
      return { value, ...gradients };
    };
  },
  training: (params) => trainingCall(jax, params),
};

await serve({ adapter: adapterInfo, version: versionOf('@jax-js/jax') }, async (task, params, tensors) => {
  const inputs = Object.fromEntries(
    Object.entries(tensors).map(([name, { data, shape }]) => {
      const dtype = data instanceof Float32Array ? np.float32 : np.int32;
      return [name, np.array(data, { shape, dtype })];
    }),
  );
  const body = TASKS[task](params);
  const compute = () => body(tree.ref(inputs));
  const outputs = {};
  for (const [name, array] of Object.entries(compute())) {
    const { shape } = array;
    outputs[name] = { shape, data: await array.data() };
  }
  return { outputs, run: (times) => time(compute, times) };
});

async function time(compute, times) {
  memory.resetPeak();
  const start = performance.now();
  // All results are kept until they are there: what is freed before it is submitted is never computed.
  const results = Array.from({ length: times }, compute);
  await jax.blockUntilReady(results);
  const ms = performance.now() - start;
  tree.dispose(results);
  return { ms, peakBytes: memory.peakBytes };
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8'))
    .version;
}
