// One step of gradient descent with momentum, in place, in f32, in the form of PyTorch's SGD (Polyak 1964; Krizhevsky et al. 2012
// have lr in the velocity); weight decay is that of L2 regularisation:
//   velocity ← momentum·velocity + g + weight_decay·p;  p ← p − lr·velocity
// `lr` [1] may change from step to step.

alias pack = vec4<f32>; // as wide as the length allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { length: u32, momentum: f32, weight_decay: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<pack>;
@group(0) @binding(2) var<storage, read> lr: array<f32>;
@group(0) @binding(3) var<storage, read_write> p: array<pack>;
@group(0) @binding(4) var<storage, read_write> velocity: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length / PACK) {
    return;
  }
  let moved = params.momentum * velocity[i] + (g[i] + params.weight_decay * p[i]);
  velocity[i] = moved;
  p[i] -= lr[0] * moved;
}
