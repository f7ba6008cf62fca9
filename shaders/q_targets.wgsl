// What q_halt and q_continue of a segment should have been: targets [batch, 2].
//   targets[b, 0] = is the row exact (correct = count)?
//   targets[b, 1] = sigmoid(last ? q'_halt : max(q'_halt, q'_continue)), last = steps ≥ max_steps, with q' = q_next
// the values of one more segment.

const GROUP: u32 = 64;

struct Params { batch: u32, max_steps: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q_next: array<f32>;
@group(0) @binding(2) var<storage, read> steps: array<u32>;
@group(0) @binding(3) var<storage, read> count: array<u32>;
@group(0) @binding(4) var<storage, read> correct: array<u32>;
@group(0) @binding(5) var<storage, read_write> targets: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = id.y * groups.x * GROUP + id.x;
  if (row >= params.batch) {
    return;
  }
  let halt = q_next[2 * row];
  let value = select(max(halt, q_next[2 * row + 1]), halt, steps[row] >= params.max_steps);
  targets[2 * row] = select(0.0, 1.0, correct[row] == count[row]);
  targets[2 * row + 1] = 1 / (1 + exp(min(-value, 80)));
}
