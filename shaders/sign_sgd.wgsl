// Sparse sign-SGD on the puzzle rows of a batch, in place: the gradients of equal identifiers are summed, then
//   row ← row·(1 − decay) − lr·sign(sum),  sign(0) = 0;  no other row moves.
// `rows` are those of the identifiers from `first` on, `count` of them; identifiers of other rows are passed over.
// A thread owns one column of one batch row; the first batch row of an identifier does the work for all of them,
// in batch order. `rates` [2]: lr and decay = lr·weight_decay, which change from step to step.

const GROUP: u32 = 64;

struct Params { batch: u32, width: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> identifiers: array<i32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> rates: array<f32>;
@group(0) @binding(4) var<storage, read_write> rows: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * params.width) {
    return;
  }
  let owner = i / params.width;
  let column = i % params.width;
  let identifier = identifiers[owner];
  let at_row = u32(identifier) - params.first; // wraps, to a large number, below the first
  if (at_row >= params.count) {
    return;
  }
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
  let at = at_row * params.width + column;
  rows[at] = rows[at] * (1 - rates[1]) - rates[0] * sign(sum);
}
