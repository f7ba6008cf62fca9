// y[i] = scale · Σ_b x[b, i] for x [batch, length]: the gradient of anything broadcast over the batch.

const GROUP: u32 = 64;

struct Params { batch: u32, length: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length) {
    return;
  }
  var sum = 0.0;
  for (var row = 0u; row < params.batch; row++) {
    sum += x[row * params.length + i];
  }
  y[i] = params.scale * sum;
}
