// dx = inverse_rms · (dy − y · mean(dy·y)) for each row: the gradient of residual_rms_norm.wgsl with respect to x,
// and to r, which is the same. Layout and lanes as there.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const GROUP: u32 = 64;
const LANES: u32 = 32; // tune: 1 8 32 64

const_assert GROUP % LANES == 0u;

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<pack>;
@group(0) @binding(2) var<storage, read> y: array<pack>;
@group(0) @binding(3) var<storage, read> inverse_rms: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<pack>;

var<workgroup> partial: array<f32, GROUP>;

/// The sum over the lanes of a row, in an order that does not depend on timing.
fn sum_over_lanes(value: f32, thread: u32) -> f32 {
  if (LANES == 1u) {
    return value;
  }
  partial[thread] = value;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread % LANES < half) {
      partial[thread] += partial[thread + half];
    }
  }
  workgroupBarrier();
  return partial[thread - thread % LANES];
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let lane = thread % LANES;
  let row = (group.y * groups.x + group.x) * (GROUP / LANES) + thread / LANES;
  let packs = params.columns / PACK;
  let clamped = min(row, params.rows - 1);
  let first = clamped * packs;

  var products = pack(0);
  for (var i = lane; i < packs; i += LANES) {
    products = fma(dy[first + i], y[first + i], products);
  }
  let mean = sum_over_lanes(dot(products, pack(1)), thread) / f32(params.columns);
  if (row >= params.rows) {
    return;
  }
  let inverse = inverse_rms[clamped];
  for (var i = lane; i < packs; i += LANES) {
    dx[first + i] = inverse * fma(y[first + i], pack(-mean), dy[first + i]);
  }
}
