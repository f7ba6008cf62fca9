// y[b, i] = scale · x[b, i] for i < width: the first `width` numbers of each row of x [batch, row_length]. With
// x the gradient of e, this is the gradient of the puzzle rows of a batch, one per batch row, not yet summed over
// equal identifiers (sign_sgd.wgsl does that).

const GROUP: u32 = 64;

struct Params { batch: u32, row_length: u32, width: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.batch * params.width) {
    y[i] = params.scale * x[(i / params.width) * params.row_length + i % params.width];
  }
}
