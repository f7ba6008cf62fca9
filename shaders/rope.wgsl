// Rotary position embedding on the q and k heads of qkv [tokens, 3·heads·head_dim], v copied as it is:
//   y₁ = x₁·cos − sign·x₂·sin,  y₂ = x₂·cos + sign·x₁·sin   for the halves x₁, x₂ of a head.
// sign −1 is the inverse rotation, which is the gradient. cos and sin [seq_len, head_dim/2] are made on the host
// (WGSL's sin and cos promise only 2⁻¹¹). RoPE: Su et al., arXiv 2104.09864.

alias pack = vec4<f32>; // as wide as head_dim/2 allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { tokens: u32, seq_len: u32, heads: u32, head_dim: u32, sign: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<pack>;
@group(0) @binding(2) var<storage, read> cosines: array<pack>;
@group(0) @binding(3) var<storage, read> sines: array<pack>;
@group(0) @binding(4) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let half = params.head_dim / (2 * PACK);
  let heads = 3 * params.heads; // q, k and v heads
  if (i >= params.tokens * heads * half) {
    return;
  }
  let lane = i % half;
  let head = (i / half) % heads;
  let token = i / (half * heads);
  let first = (token * heads + head) * 2 * half + lane;
  let second = first + half;
  let x1 = x[first];
  let x2 = x[second];
  if (head >= 2 * params.heads) {
    y[first] = x1;
    y[second] = x2;
    return;
  }
  let angle = (token % params.seq_len) * half + lane;
  let cosine = cosines[angle];
  let sine = sines[angle] * params.sign;
  y[first] = x1 * cosine - x2 * sine;
  y[second] = x2 * cosine + x1 * sine;
}
