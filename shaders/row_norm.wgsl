// y[at + row] = √ Σ x[row, i]² over i for x [rows, columns].
//
// LANES threads share a row; with one lane there is no workgroup memory traffic at all (software adapters). Squares are kept in f32:
// rows beyond 1e19 are infinite, and elements below 1e-22 count for nothing.

const GROUP: u32 = 64;
const LANES: u32 = 32; // tune: 1 8 32 64

const_assert GROUP % LANES == 0u;

struct Params { rows: u32, columns: u32, at: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> partial: array<f32, GROUP>;

/// The sum over the lanes of a row, in an order that does not depend on timing; the first lane has it.
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
  return partial[thread];
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let lane = thread % LANES;
  let row = (group.y * groups.x + group.x) * (GROUP / LANES) + thread / LANES;
  // Threads of rows past the end repeat the last row: they must reach the barriers.
  let first = min(row, params.rows - 1) * params.columns;

  var squares = 0.0;
  for (var i = lane; i < params.columns; i += LANES) {
    let value = x[first + i];
    squares += value * value;
  }
  let sum = sum_over_lanes(squares, thread);
  if (row < params.rows && lane == 0) {
    y[params.at + row] = sqrt(sum);
  }
}
