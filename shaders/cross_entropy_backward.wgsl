// d_logits of the row losses Σ_tokens loss/divisor (cross_entropy.wgsl, row_loss.wgsl), divisor = max(count, 1):
//   softmax:   d_row/divisor · (p − [v = label]),           p = exp(x)/Σ exp(x)
//   stablemax: d_row/divisor · (s'(x)/Σs − [v = label]·s'(x)/s(x)),  s'(x) = x < 0 ? 1/(1 − x)² : 1
// Zero for prefix positions and ignored labels. The label's own entry is −(share of the others), computed as such,
// so that it keeps its precision when the prediction is almost certain.

const STABLEMAX: bool = true;
const GROUP: u32 = 64;
const IGNORED: i32 = -100;

struct Params { batch: u32, labels_len: u32, prefix: u32, vocab: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> count: array<u32>;
@group(0) @binding(4) var<storage, read> d_row: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_logits: array<f32>;

/// The unnormalised probability of a logit.
fn weight(x: f32, highest: f32) -> f32 {
  if (STABLEMAX) {
    return select(x + 1, 1 / (1 - x), x < 0);
  }
  return exp(x - highest);
}

/// d log(weight) / dx
fn log_slope(x: f32) -> f32 {
  if (STABLEMAX) {
    return 1 / (1 + abs(x));
  }
  return 1;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let seq_len = params.prefix + params.labels_len;
  if (i >= params.batch * seq_len) {
    return;
  }
  let row = i / seq_len;
  let token = i % seq_len;
  let first = i * params.vocab;
  var label = IGNORED;
  if (token >= params.prefix) {
    label = labels[row * params.labels_len + token - params.prefix];
  }
  if (label == IGNORED) {
    for (var v = 0u; v < params.vocab; v++) {
      d_logits[first + v] = 0;
    }
    return;
  }

  var highest = logits[first];
  for (var v = 1u; v < params.vocab; v++) {
    highest = max(highest, logits[first + v]);
  }
  var total = 0.0;
  var others = 0.0;
  for (var v = 0u; v < params.vocab; v++) {
    let w = weight(logits[first + v], highest);
    total += w;
    others += select(w, 0, v == u32(label));
  }
  let gradient = d_row[row] / f32(count[row]);
  for (var v = 0u; v < params.vocab; v++) {
    let x = logits[first + v];
    let share = select(weight(x, highest), -others, v == u32(label)) / total;
    d_logits[first + v] = gradient * share * log_slope(x);
  }
}
