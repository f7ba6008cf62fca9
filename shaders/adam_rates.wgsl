// What changes from step to step of adam_atan2.wgsl, counted on the GPU, so that a recorded step counts when it is replayed:
//   corrections [2]: 1 − β₁ᵗ, 1 − β₂ᵗ after t steps, zeros before the first;  c ← c + (1 − β)·(1 − c)
//   rates [3]: lr·weight_decay, lr/(1 − β₁ᵗ), 1/√(1 − β₂ᵗ)
// The recurrence adds what a step brings: 1 − βᵗ itself would lose the digits that βᵗ has in common with 1. `lr` [1] may
// change from step to step.

const GROUP: u32 = 1;

// rate1, rate2: 1 − β₁, 1 − β₂
struct Params { rate1: f32, rate2: f32, weight_decay: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> lr: array<f32>;
@group(0) @binding(2) var<storage, read_write> corrections: array<f32>;
@group(0) @binding(3) var<storage, read_write> rates: array<f32>;

@compute @workgroup_size(GROUP)
fn main() {
  let first = corrections[0] + params.rate1 * (1 - corrections[0]);
  let second = corrections[1] + params.rate2 * (1 - corrections[1]);
  corrections[0] = first;
  corrections[1] = second;
  rates[0] = lr[0] * params.weight_decay;
  rates[1] = lr[0] / first;
  rates[2] = inverseSqrt(second);
}
