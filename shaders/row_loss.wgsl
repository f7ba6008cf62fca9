// Sums up each row of a batch: loss = Σ token losses / max(count, 1), count = valid labels, correct = predictions
// equal to their label. A row is exact when correct = count.

const GROUP: u32 = 64;
const IGNORED: i32 = -100;

struct Params { batch: u32, labels_len: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> token_loss: array<f32>;
@group(0) @binding(2) var<storage, read> prediction: array<i32>;
@group(0) @binding(3) var<storage, read> labels: array<i32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> count: array<u32>;
@group(0) @binding(6) var<storage, read_write> correct: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = id.y * groups.x * GROUP + id.x;
  if (row >= params.batch) {
    return;
  }
  var sum = 0.0;
  var valid = 0u;
  var right = 0u;
  for (var s = 0u; s < params.labels_len; s++) {
    let i = row * params.labels_len + s;
    sum += token_loss[i];
    valid += select(0u, 1u, labels[i] != IGNORED);
    right += select(0u, 1u, labels[i] == prediction[i]);
  }
  loss[row] = sum / f32(max(valid, 1));
  count[row] = valid;
  correct[row] = right;
}
