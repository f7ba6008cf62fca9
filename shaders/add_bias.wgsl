// y[row, i] = x[row, i] + bias[i] for x [rows, width]. Its gradient: that of y for x, batch_sum.wgsl for the bias.

alias pack = vec4<f32>; // as wide as `width` allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<pack>;
@group(0) @binding(2) var<storage, read> bias: array<pack>;
@group(0) @binding(3) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let width = params.width / PACK;
  if (i < params.rows * width) {
    y[i] = x[i] + bias[i % width];
  }
}
