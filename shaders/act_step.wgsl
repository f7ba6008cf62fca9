// The halting step of ACT, after a segment: for each row of the batch
//   steps = (was halted ? 0 : steps) + 1;  halted = steps ≥ max_steps
//   early and max_steps > 1: halted |= q_halt > q_continue (q_halt > 0 with no_continue ≠ 0), then, with the row's minimum (min_steps where
//   explore < exploration, else 0), halted &= steps ≥ minimum.
// q [batch, 2]. Training halts early, evaluation where it is asked to (then without exploration).

const GROUP: u32 = 64;

struct Params { batch: u32, max_steps: u32, early: u32, no_continue: u32, exploration: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> explore: array<f32>;
@group(0) @binding(3) var<storage, read> min_steps: array<u32>;
@group(0) @binding(4) var<storage, read_write> steps: array<u32>;
@group(0) @binding(5) var<storage, read_write> halted: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = id.y * groups.x * GROUP + id.x;
  if (row >= params.batch) {
    return;
  }
  let step = select(steps[row], 0, halted[row] != 0) + 1;
  var halt = step >= params.max_steps;
  if (params.early != 0 && params.max_steps > 1) {
    halt = halt || q[2 * row] > select(q[2 * row + 1], 0, params.no_continue != 0);
    let minimum = select(0, min_steps[row], explore[row] < params.exploration);
    halt = halt && step >= minimum;
  }
  steps[row] = step;
  halted[row] = select(0u, 1u, halt);
}
