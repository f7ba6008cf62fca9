// dx = dy where y > 0, else 0: the gradient of relu.wgsl, from its result. At x = 0 it is 0.

alias pack = vec4<f32>; // as wide as the length allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<pack>;
@group(0) @binding(2) var<storage, read> dy: array<pack>;
@group(0) @binding(3) var<storage, read_write> dx: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.length / PACK) {
    dx[i] = select(pack(0), dy[i], y[i] > pack(0));
  }
}
