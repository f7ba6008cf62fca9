// dx[i] = d_loss[i]·(sigmoid(x) − target): the gradient of bce_logits.wgsl.

const GROUP: u32 = 64;

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(3) var<storage, read> d_loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.length) {
    dx[i] = d_loss[i] * (1 / (1 + exp(min(-x[i], 80))) - targets[i]);
  }
}
