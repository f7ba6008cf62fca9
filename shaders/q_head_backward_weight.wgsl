// d_weight [2, dim] = Σ_b dq[b]·z[b, 0] and d_bias [2] = Σ_b dq[b] of q_head.wgsl, summed in batch order.

const GROUP: u32 = 64;
const OUTPUTS: u32 = 2;

struct Params { batch: u32, seq_len: u32, dim: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dq: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_bias: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= OUTPUTS * params.dim) {
    return;
  }
  let output = i / params.dim;
  let column = i % params.dim;
  var weight_sum = 0.0;
  var bias_sum = 0.0;
  for (var row = 0u; row < params.batch; row++) {
    let gradient = dq[row * OUTPUTS + output];
    weight_sum = fma(gradient, z[row * params.seq_len * params.dim + column], weight_sum);
    bias_sum += gradient;
  }
  d_weight[i] = weight_sum;
  if (column == 0) {
    d_bias[output] = bias_sum;
  }
}
