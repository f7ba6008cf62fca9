// y[i] = scale · Σ_b x[b, i] for x [batch, length]: the gradient of anything broadcast over the batch.

alias pack = vec4<f32>; // as wide as the length allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { batch: u32, length: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<pack>;
@group(0) @binding(2) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let packs = params.length / PACK;
  if (i >= packs) {
    return;
  }
  var sum = pack();
  for (var row = 0u; row < params.batch; row++) {
    sum += x[row * packs + i];
  }
  y[i] = params.scale * sum;
}
