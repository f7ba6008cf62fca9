// y = (x + r) / sqrt(mean((x + r)²) + eps) for each row of x, r [rows, columns]; no weight. Keeps 1/sqrt(…) of
// each row, which with y is all that the gradient needs. RMSNorm: Zhang & Sennrich, arXiv 1910.07467.
//
// LANES threads share a row; with one lane there is no workgroup memory traffic at all (software adapters).

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const GROUP: u32 = 64;
const LANES: u32 = 32; // tune: 1 8 32 64

const_assert GROUP % LANES == 0u;

struct Params { rows: u32, columns: u32, eps: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<pack>;
@group(0) @binding(2) var<storage, read> r: array<pack>;
@group(0) @binding(3) var<storage, read_write> y: array<pack>;
@group(0) @binding(4) var<storage, read_write> inverse_rms: array<f32>;

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
  // Threads of rows past the end repeat the last row: they must reach the barriers.
  let first = min(row, params.rows - 1) * packs;

  var squares = pack(0);
  for (var i = lane; i < packs; i += LANES) {
    let sum = x[first + i] + r[first + i];
    squares = fma(sum, sum, squares);
  }
  let total = sum_over_lanes(dot(squares, pack(1)), thread);
  let inverse = 1 / sqrt(total / f32(params.columns) + params.eps);
  if (row >= params.rows) {
    return;
  }
  for (var i = lane; i < packs; i += LANES) {
    y[first + i] = (x[first + i] + r[first + i]) * inverse;
  }
  if (lane == 0) {
    inverse_rms[row] = inverse;
  }
}
