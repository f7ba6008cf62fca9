// loss[i] = max(x, 0) − x·target + log(1 + exp(−|x|)): binary cross-entropy on logits, elementwise.

const GROUP: u32 = 64;

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;

/// log(1 + x) for x ≥ 0; WGSL's log alone is only absolutely accurate near 1.
fn log_one_plus(x: f32) -> f32 {
  if (x > 0.01) {
    return log(1 + x);
  }
  return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.length) {
    loss[i] = max(x[i], 0) - x[i] * targets[i] + log_one_plus(exp(-abs(x[i])));
  }
}
