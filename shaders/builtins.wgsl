// exp(x), log(y), x / y, sqrt(y) and 1 / sqrt(y) as the adapter computes them, for y > 0: WGSL (§15.7.4, accuracy of
// built-in functions) leaves it room, and what a kernel may be off depends on how much of that an adapter takes.

const GROUP: u32 = 64;

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> exponential: array<f32>;
@group(0) @binding(4) var<storage, read_write> logarithm: array<f32>;
@group(0) @binding(5) var<storage, read_write> quotient: array<f32>;
@group(0) @binding(6) var<storage, read_write> root: array<f32>;
@group(0) @binding(7) var<storage, read_write> inverse_root: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length) {
    return;
  }
  exponential[i] = exp(x[i]);
  logarithm[i] = log(y[i]);
  quotient[i] = x[i] / y[i];
  root[i] = sqrt(y[i]);
  inverse_root[i] = inverseSqrt(y[i]);
}
