// q[b, o] = z[b, 0]·weight[o] + bias[o]: the halting head, on the first position of z [batch, seq_len, dim]; weight
// [2, dim], row 0 halt, row 1 continue.

const GROUP: u32 = 64;
const OUTPUTS: u32 = 2;

struct Params { batch: u32, seq_len: u32, dim: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> q: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * OUTPUTS) {
    return;
  }
  let row = i / OUTPUTS;
  let output = i % OUTPUTS;
  var sum = 0.0;
  for (var i = 0u; i < params.dim; i++) {
    sum = fma(z[row * params.seq_len * params.dim + i], weight[output * params.dim + i], sum);
  }
  q[i] = sum + bias[output];
}
