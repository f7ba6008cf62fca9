// C = A·B for A [m, k], B [k, n], C [m, n], all row-major: one output per thread, nothing reused. The yardstick
// for matmul.wgsl, and the shortest statement of what it computes.

const GROUP: u32 = 64;

struct Params { m: u32, n: u32, k: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.n) {
    return;
  }
  var sum = 0.0;
  for (var k = 0u; k < params.k; k++) {
    sum += a[id.y * params.k + k] * b[k * params.n + id.x];
  }
  c[id.y * params.n + id.x] = sum;
}
