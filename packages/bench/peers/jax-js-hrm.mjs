/**
 * One training call of HRM (arXiv 2506.21734) in jax-js: what `trainingCall` of hrm-webgpu computes, without the
 * optimiser. Tensors go by the names of the published checkpoints. Operations consume their arguments, so everything
 * that is used again is passed on by `.ref`.
 */
const IGNORED = -100;

/**
 * The compiled call: from {weights…, carry…, batch…} by name to {metrics, z_H, z_L, steps, halted, 'grad <name>'…}.
 *
 * @param jax the module @jax-js/jax
 * @param params {config, trained: names of the weights that are trained, globalBatchSize}
 */
export function trainingCall(jax, { config, trained, globalBatchSize }) {
  const { jit, lax, numpy: np, tree, valueAndGrad } = jax;
  const model = makeModel(jax, config);
  const losses = makeLosses(jax, config);

  const call = jit((inputs) => {
    const carry = refill(np, inputs);
    const rows = np.take(inputs['puzzle_emb.weights'].ref, carry.puzzle_identifiers.ref, 0);
    const weights = { puzzle_rows: rows };
    for (const name of trained) weights[name] = inputs[name].ref;

    const lossOf = (weights) => {
      const fixed = tree.map((weight) => lax.stopGradient(weight.ref), weights);
      const { z_H, z_L, logits, q } = model.segment(weights, fixed, carry);
      const next = { z_H: lax.stopGradient(z_H), z_L: lax.stopGradient(z_L), inputs: carry.inputs };
      const state = { ...next, ...step(np, config, carry, lax.stopGradient(q.ref), inputs) };
      const qNext = model.segment(fixed, fixed, next).q;
      const { loss, metrics } = losses(logits, q, qNext, carry.labels, state);
      const { steps, halted } = state;
      return [loss.div(globalBatchSize), { metrics, z_H: next.z_H, z_L: next.z_L, steps, halted }];
    };
    const [[loss, aux], gradients] = valueAndGrad(lossOf, { hasAux: true })(weights);
    const named = Object.entries(gradients).map(([name, gradient]) => [`grad ${name}`, gradient]);
    return { loss, ...aux, ...Object.fromEntries(named) };
  });
  return (inputs) => call(inputs);
}

/** Halted rows start anew, with this batch's data. */
function refill(np, inputs) {
  const fresh = inputs.halted.notEqual(0);
  const select = (name, replacement) => {
    const old = inputs[name];
    const extent = [old.shape[0], ...new Array(old.ndim - 1).fill(1)];
    return np.where(fresh.ref.reshape(extent), replacement, old);
  };
  return {
    z_H: select('z_H', inputs.H_init),
    z_L: select('z_L', inputs.L_init),
    steps: select('steps', 0),
    inputs: select('inputs', inputs['batch inputs']),
    labels: select('labels', inputs['batch labels']),
    puzzle_identifiers: select('puzzle_identifiers', inputs['batch puzzle_identifiers']),
  };
}

/** The halting rule: an 'explore'd row goes on for at least 'min_steps'. */
function step(np, config, carry, q, { explore, min_steps }) {
  const steps = carry.steps.ref.add(1);
  const minimum = np.where(explore.less(config.halt_exploration_prob), min_steps, 0);
  const wants = np.logicalOr(
    steps.ref.greaterEqual(config.halt_max_steps),
    q.ref.slice([], 0).greater(q.slice([], 1)),
  );
  const halted = np.logicalAnd(wants, steps.ref.greaterEqual(minimum));
  return { steps, halted: halted.astype(np.int32) };
}

function makeModel(jax, config) {
  const { lax, nn, numpy: np } = jax;
  const { hidden_size, num_heads, rms_norm_eps, seq_len, H_cycles, L_cycles } = config;
  const headDim = hidden_size / num_heads;
  const prefix = Math.ceil(config.puzzle_emb_ndim / hidden_size);
  const positions = prefix + seq_len;
  const tables = ropeTables(positions, headDim, config.rope_theta);
  const table = (data) => np.array(data, { shape: [1, positions, 1, headDim / 2], dtype: np.float32 });

  /** x·Wᵀ for x [..., in], as a product of two matrices: jax-js is slower with a batch of them. */
  const linear = (x, weight) => {
    const { shape } = x;
    const rows = x.reshape([-1, weight.shape[1]]);
    const width = weight.shape[0];
    return np.matmul(rows, weight.transpose()).reshape([...shape.slice(0, -1), width]);
  };
  const norm = (x) => x.ref.div(np.sqrt(np.square(x).mean(-1, { keepdims: true }).add(rms_norm_eps)));

  /** Su et al., arXiv 2104.09864; x [batch, positions, heads, headDim]. */
  const rotate = (x) => {
    const [a, b] = np.split(x, 2, -1);
    const [cos, sin] = [table(tables.cosines), table(tables.sines)];
    return np.concatenate([a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref)), b.mul(cos).add(a.mul(sin))], -1);
  };
  const attention = (x, weights, layer) => {
    const batch = x.shape[0];
    const qkv = linear(x, weights[`${layer}.self_attn.qkv_proj.weight`].ref);
    const [q, k, v] = np.split(qkv.reshape([batch, positions, 3 * num_heads, headDim]), 3, 2);
    const o = nn.dotProductAttention(rotate(q), rotate(k), v);
    return linear(
      o.reshape([batch, positions, hidden_size]),
      weights[`${layer}.self_attn.o_proj.weight`].ref,
    );
  };
  const swiglu = (x, weights, layer) => {
    const [gate, up] = np.split(linear(x, weights[`${layer}.mlp.gate_up_proj.weight`].ref), 2, -1);
    return linear(nn.silu(gate).mul(up), weights[`${layer}.mlp.down_proj.weight`].ref);
  };
  const level = (name, weights, state, ...injected) => {
    let x = injected.reduce((sum, array) => sum.add(array), state);
    for (let i = 0; i < config[`${name}_layers`]; i++) {
      const layer = `${name}_level.layers.${i}`;
      x = norm(x.ref.add(attention(x, weights, layer)));
      x = norm(x.ref.add(swiglu(x, weights, layer)));
    }
    return x;
  };
  const embed = (weights, inputs) => {
    const tokens = np.take(weights['embed_tokens.embedding_weight'].ref, inputs, 0);
    const puzzle = weights.puzzle_rows.ref.reshape([-1, prefix, hidden_size]);
    return np.concatenate([puzzle, tokens], 1).mul(Math.sqrt(hidden_size));
  };

  /** The one-step gradient: all but the last step of each module from `fixed` weights, through which none flows. */
  function segment(weights, fixed, { z_H: startH, z_L: startL, inputs }) {
    let [z_H, z_L] = [startH.ref, startL.ref];
    const e = embed(weights, inputs.ref);
    const still = lax.stopGradient(e.ref);
    for (let h = 1; h <= H_cycles; h++) {
      for (let l = 1; l <= L_cycles; l++) {
        if (h < H_cycles || l < L_cycles) z_L = level('L', fixed, z_L, z_H.ref, still.ref);
      }
      if (h < H_cycles) z_H = level('H', fixed, z_H, z_L.ref);
    }
    z_L = level('L', weights, z_L, z_H.ref, e);
    z_H = level('H', weights, z_H, z_L.ref);
    const logits = linear(z_H.ref.slice([], [prefix]), weights['lm_head.weight'].ref);
    const q = linear(z_H.ref.slice([], 0), weights['q_head.weight'].ref).add(weights['q_head.bias'].ref);
    return { z_H, z_L, logits, q };
  }
  return { segment };
}

/** cos and sin [positions · headDim/2], in f32 after every operation as the published implementation has them. */
function ropeTables(positions, headDim, theta) {
  const angles = Array.from({ length: (positions * headDim) / 2 }, (_, at) => {
    const exponent = Math.fround(Math.fround(2 * (at % (headDim / 2))) / headDim);
    const frequency = Math.fround(1 / Math.fround(theta ** exponent));
    return Math.fround(Math.floor(at / (headDim / 2)) * frequency);
  });
  return { cosines: Float32Array.from(angles, Math.cos), sines: Float32Array.from(angles, Math.sin) };
}

function makeLosses(jax, config) {
  const { lax, nn, numpy: np } = jax;

  /** −log s(x)[label]/Σ s(x), s(x) = x < 0 ? 1/(1 − x) : x + 1 (Prieto et al., arXiv 2501.04697) */
  const crossEntropy = (logits, labels) => {
    const s = np.where(
      logits.ref.less(0),
      np.reciprocal(np.minimum(logits.ref, 0).mul(-1).add(1)),
      logits.add(1),
    );
    const own = nn.oneHot(labels, config.vocab_size);
    return np.log(s.ref.sum(-1)).sub(np.log(s.mul(own).sum(-1)));
  };
  /** Binary cross-entropy of logits q. */
  const bce = (q, target) =>
    np
      .maximum(q.ref, 0)
      .sub(q.ref.mul(target))
      .add(np.log1p(np.exp(np.absolute(q).mul(-1))));

  /** The loss, and the sums that hrm-webgpu calls METRIC_NAMES. */
  return (logits, q, qNext, labels, { steps, halted }) => {
    const valid = labels.ref.notEqual(IGNORED).astype(np.float32);
    const safe = np.maximum(labels.ref, 0);
    const count = valid.ref.sum(-1);
    const divisor = np.maximum(count.ref, 1);
    const prediction = np.argmax(lax.stopGradient(logits.ref), -1);
    const correct = prediction.equal(safe.ref).astype(np.float32).mul(valid.ref).sum(-1);
    const lmLoss = crossEntropy(logits, safe).mul(valid).sum(-1).div(divisor.ref).sum();

    const exact = correct.ref.equal(count.ref).astype(np.float32);
    const [halt, goOn] = [q.ref.slice([], 0), q.slice([], 1)];
    const [nextHalt, nextGoOn] = [qNext.ref.slice([], 0), qNext.slice([], 1)];
    const last = steps.ref.greaterEqual(config.halt_max_steps);
    const target = nn.sigmoid(np.where(last, nextHalt.ref, np.maximum(nextHalt, nextGoOn)));
    const haltLoss = bce(halt.ref, exact.ref).sum();
    const goOnLoss = bce(goOn, lax.stopGradient(target)).sum();

    const counted = halted.ref.astype(np.float32).mul(count.greater(0).astype(np.float32));
    const wants = lax.stopGradient(halt).greaterEqual(0).astype(np.float32);
    const sums = [
      counted.ref,
      counted.ref.mul(correct.div(divisor)),
      counted.ref.mul(exact.ref),
      counted.ref.mul(wants.equal(exact).astype(np.float32)),
      counted.mul(steps.ref.astype(np.float32)),
    ].map((values) => values.sum());
    const parts = [lmLoss, haltLoss, goOnLoss];
    const loss = lmLoss.ref.add(haltLoss.ref.add(goOnLoss.ref).mul(0.5));
    return { loss, metrics: np.stack([...sums, ...parts.map((part) => lax.stopGradient(part))]) };
  };
}
