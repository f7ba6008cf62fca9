// y = exp(x − max) / Σ exp(x − max) for each row of x [rows, columns].
//
// LANES threads share a row; with one lane there is no workgroup memory traffic at all (software adapters).

const GROUP: u32 = 64;
const LANES: u32 = 32; // tune: 1 8 32 64

const_assert GROUP % LANES == 0u;

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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

/// The largest over the lanes of a row.
fn max_over_lanes(value: f32, thread: u32) -> f32 {
  if (LANES == 1u) {
    return value;
  }
  partial[thread] = value;
  for (var half = LANES / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread % LANES < half) {
      partial[thread] = max(partial[thread], partial[thread + half]);
    }
  }
  workgroupBarrier();
  let largest = partial[thread - thread % LANES];
  workgroupBarrier(); // all have read it before the sum takes its place
  return largest;
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

  var highest = x[first];
  for (var i = lane; i < params.columns; i += LANES) {
    highest = max(highest, x[first + i]);
  }
  highest = max_over_lanes(highest, thread);
  var sum = 0.0;
  for (var i = lane; i < params.columns; i += LANES) {
    sum += exp(x[first + i] - highest);
  }
  let inverse = 1 / sum_over_lanes(sum, thread);
  if (row >= params.rows) {
    return;
  }
  for (var i = lane; i < params.columns; i += LANES) {
    y[first + i] = exp(x[first + i] - highest) * inverse;
  }
}
