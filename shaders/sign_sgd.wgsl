// Sparse sign-SGD on the puzzle rows of a batch, in place: the gradients of equal identifiers are summed, then
//   row ← row·(1 − decay) − lr·sign(sum),  sign(0) = 0;  no other row moves.
// A thread owns one column of one batch row; the first batch row of an identifier does the work for all of them,
// in batch order.

const GROUP: u32 = 64;

// decay: lr·weight_decay
struct Params { batch: u32, width: u32, lr: f32, decay: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> identifiers: array<i32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> rows: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * params.width) {
    return;
  }
  let owner = i / params.width;
  let column = i % params.width;
  let identifier = identifiers[owner];
  for (var row = 0u; row < owner; row++) {
    if (identifiers[row] == identifier) {
      return;
    }
  }
  var sum = 0.0;
  for (var row = owner; row < params.batch; row++) {
    if (identifiers[row] == identifier) {
      sum += g[row * params.width + column];
    }
  }
  let at = u32(identifier) * params.width + column;
  rows[at] = rows[at] * (1 - params.decay) - params.lr * sign(sum);
}
