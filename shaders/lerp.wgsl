// y ← y + weight·(x − y), elementwise, in place: one step of an exponential moving average that keeps 1 − weight.

alias pack = vec4<f32>; // as wide as the length allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { length: u32, weight: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<pack>;
@group(0) @binding(2) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.length / PACK) {
    y[i] += params.weight * (x[i] - y[i]);
  }
}
