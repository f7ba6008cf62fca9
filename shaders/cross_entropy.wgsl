// Loss and prediction of each token: logits [batch, prefix + labels_len, vocab] (the first `prefix` positions have no
// label), labels [batch, labels_len], −100 ignored (loss 0).
//   softmax:   loss = log Σ exp(x) − x[label]
//   stablemax: loss = log Σ s(x) − log s(x[label]),  s(x) = x < 0 ? 1/(1 − x) : x + 1   (Prieto et al., 2501.04697)
// prediction: the index of the largest logit, the first one of equals.
// Both are computed as log(1 + Σ_{others} …/…): a small loss keeps its precision, which the difference of two logs
// would lose.

const STABLEMAX: bool = true;
const GROUP: u32 = 64;
const IGNORED: i32 = -100;

struct Params { batch: u32, labels_len: u32, prefix: u32, vocab: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> prediction: array<i32>;

/// log(1 + x) for x ≥ 0; WGSL's log alone is only absolutely accurate near 1.
fn log_one_plus(x: f32) -> f32 {
  if (x > 0.01) {
    return log(1 + x);
  }
  return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));
}

/// s(x) of stablemax.
fn stable(x: f32) -> f32 {
  return select(x + 1, 1 / (1 - x), x < 0);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * params.labels_len) {
    return;
  }
  let row = i / params.labels_len;
  let first = (i + (row + 1) * params.prefix) * params.vocab;

  var best = 0u;
  var highest = logits[first];
  for (var v = 1u; v < params.vocab; v++) {
    let x = logits[first + v];
    if (x > highest) {
      highest = x;
      best = v;
    }
  }
  prediction[i] = i32(best);

  let label = labels[i];
  if (label == IGNORED) {
    loss[i] = 0;
    return;
  }
  let target_logit = logits[first + u32(label)];
  var others = 0.0; // relative to the label's term for stablemax, to the largest for softmax
  for (var v = 0u; v < params.vocab; v++) {
    let x = logits[first + v];
    if (STABLEMAX) {
      if (v != u32(label)) {
        others += stable(x) / stable(target_logit);
      }
    } else if (v != best) {
      others += exp(x - highest);
    }
  }
  loss[i] = log_one_plus(others) + select(highest - target_logit, 0, STABLEMAX);
}
