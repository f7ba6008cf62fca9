// One Adam-atan2 step (Everett et al., arXiv 2407.05872), in place, in f32:
//   p ← p·(1 − lr·weight_decay);  m ← m + (1 − β₁)(g − m);  v ← v + (1 − β₂)(g² − v)
//   p ← p − step_size·atan2(m, √v·v_correction),  step_size = lr/(1 − β₁ᵗ), v_correction = 1/√(1 − β₂ᵗ)
// What changes from step to step is in `rates` [3]: decay = lr·weight_decay, step_size, v_correction.
// WGSL's atan2 may be off by 4096 ULP and is undefined at (0, 0), so it is written out here.

alias pack = vec4<f32>; // as wide as the length allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

// rate1, rate2: 1 − β₁, 1 − β₂
struct Params { length: u32, rate1: f32, rate2: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> g: array<pack>;
@group(0) @binding(2) var<storage, read> rates: array<f32>;
@group(0) @binding(3) var<storage, read_write> p: array<pack>;
@group(0) @binding(4) var<storage, read_write> m: array<pack>;
@group(0) @binding(5) var<storage, read_write> v: array<pack>;

/// atan(t) for 0 ≤ t ≤ 1 within 2 ULP: above tan(π/8) by atan(t) = π/4 + atan((t − 1)/(t + 1)), then the
/// minimax polynomial of Cephes' atanf (Moshier).
fn atan_unit(t: pack) -> pack {
  let upper = t > pack(0.4142135623);
  let x = select(t, (t - 1) / (t + 1), upper);
  let z = x * x;
  let series = ((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1;
  return fma(series * z, x, x) + select(pack(0), pack(0.7853981634), upper);
}

/// atan2(y, x) for x ≥ 0, with atan2(0, 0) = 0.
fn atan2_right(y: pack, x: pack) -> pack {
  let a = abs(y);
  let larger = max(a, x);
  let angle = atan_unit(min(a, x) / select(larger, pack(1), larger == pack(0)));
  return sign(y) * select(angle, 1.5707963268 - angle, a > x);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length / PACK) {
    return;
  }
  let gradient = g[i];
  let mean = m[i] + params.rate1 * (gradient - m[i]);
  let square = v[i] + params.rate2 * (gradient * gradient - v[i]);
  m[i] = mean;
  v[i] = square;
  p[i] = p[i] * (1 - rates[0]) - rates[1] * atan2_right(mean, sqrt(square) * rates[2]);
}
