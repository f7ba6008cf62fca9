// dz [batch, seq_len, dim] of q_head.wgsl: dq·weight at the first position, zero at the others.

const GROUP: u32 = 64;
const OUTPUTS: u32 = 2;

struct Params { batch: u32, seq_len: u32, dim: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dq: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dz: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * params.seq_len * params.dim) {
    return;
  }
  let column = i % params.dim;
  let row = i / (params.dim * params.seq_len);
  var value = 0.0;
  if ((i / params.dim) % params.seq_len == 0) {
    value = dq[row * OUTPUTS] * weight[column] + dq[row * OUTPUTS + 1] * weight[params.dim + column];
  }
  dz[i] = value;
}
