// HRM's metrics, sums over the rows that are halted and have labels, and its losses, sums over all rows:
//   count, accuracy (correct/divisor), exact_accuracy, q_halt_accuracy ((q_halt ≥ 0) = exact), steps,
//   lm_loss, q_halt_loss, q_continue_loss → metrics [8]. One thread: a batch has few rows, and the order is fixed.

struct Params { batch: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> halted: array<u32>;
@group(0) @binding(2) var<storage, read> steps: array<u32>;
@group(0) @binding(3) var<storage, read> count: array<u32>;
@group(0) @binding(4) var<storage, read> correct: array<u32>;
@group(0) @binding(5) var<storage, read> q: array<f32>;
@group(0) @binding(6) var<storage, read> row_loss: array<f32>;
@group(0) @binding(7) var<storage, read> q_loss: array<f32>;
@group(0) @binding(8) var<storage, read_write> metrics: array<f32>;

@compute @workgroup_size(1)
fn main() {
  var sums: array<f32, 8>;
  for (var row = 0u; row < params.batch; row++) {
    if (halted[row] != 0 && count[row] > 0) {
      let exact = correct[row] == count[row];
      sums[0] += 1;
      sums[1] += f32(correct[row]) / f32(count[row]);
      sums[2] += select(0.0, 1.0, exact);
      sums[3] += select(0.0, 1.0, (q[2 * row] >= 0) == exact);
      sums[4] += f32(steps[row]);
    }
    sums[5] += row_loss[row];
    sums[6] += q_loss[2 * row];
    sums[7] += q_loss[2 * row + 1];
  }
  for (var i = 0u; i < 8; i++) {
    metrics[i] = sums[i];
  }
}
