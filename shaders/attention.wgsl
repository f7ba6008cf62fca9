// o = softmax(q·kᵀ/√head_dim)·v for every head, not causal; q, k, v in qkv [batch, seq_len, 3·heads·head_dim] (all
// q heads, all k heads, all v heads), o [batch, seq_len, heads·head_dim]. Also the log of each softmax denominator,
// log_sum_exp [batch, heads, seq_len], from which the gradient recomputes the weights: nothing of size seq_len² is
// ever stored. Online softmax: Milakov & Gimelshein, arXiv 1805.02867; FlashAttention: Dao et al., arXiv 2205.14135.
//
// A thread owns one query. All threads of a workgroup walk along the same keys, so k and v are read by all at once.
// The running maximum is updated once in BLOCK keys.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const HEAD_PACKS: u32 = 16; // head_dim / PACK
const BLOCK: u32 = 8; // tune: 1 2 4 8
const GROUP: u32 = 32; // tune: 16 32 64

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read_write> o: array<pack>;
@group(0) @binding(3) var<storage, read_write> log_sum_exp: array<f32>;

// Below any score: the first keys always raise the maximum.
const LOWEST: f32 = -3.4e38;

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let place = group.z * groups.y + group.y;
  if (place >= params.count) { // the grid is folded
    return;
  }
  let head = (params.first + place) % params.heads;
  let batch = (params.first + place) / params.heads;
  let query = group.x * GROUP + local.x;
  let scale = 1 / sqrt(f32(params.head_dim));
  if (query >= params.seq_len) {
    return;
  }
  let width = params.heads * HEAD_PACKS;
  let token0 = batch * params.seq_len;
  let q_at = (token0 + query) * 3 * width + head * HEAD_PACKS;

  var q: array<pack, HEAD_PACKS>;
  var sums: array<pack, HEAD_PACKS>;
  for (var i = 0u; i < HEAD_PACKS; i++) {
    q[i] = qkv[q_at + i] * scale;
  }

  var highest = LOWEST;
  var total = 0.0;
  for (var key0 = 0u; key0 < params.seq_len; key0 += BLOCK) {
    let keys = min(BLOCK, params.seq_len - key0);
    var weights: array<f32, BLOCK>;
    var new_highest = highest;
    var k_at = (token0 + key0) * 3 * width + width + head * HEAD_PACKS;
    for (var j = 0u; j < keys; j++) {
      var products = pack(0);
      for (var i = 0u; i < HEAD_PACKS; i++) {
        products = fma(q[i], qkv[k_at + i], products);
      }
      weights[j] = dot(products, pack(1));
      new_highest = max(new_highest, weights[j]);
      k_at += 3 * width;
    }
    let rescale = exp(highest - new_highest);
    highest = new_highest;
    total *= rescale;
    for (var i = 0u; i < HEAD_PACKS; i++) {
      sums[i] *= rescale;
    }
    var v_at = (token0 + key0) * 3 * width + 2 * width + head * HEAD_PACKS;
    for (var j = 0u; j < keys; j++) {
      let weight = exp(weights[j] - highest);
      total += weight;
      for (var i = 0u; i < HEAD_PACKS; i++) {
        sums[i] = fma(pack(weight), qkv[v_at + i], sums[i]);
      }
      v_at += 3 * width;
    }
  }

  let o_at = (token0 + query) * width + head * HEAD_PACKS;
  for (var i = 0u; i < HEAD_PACKS; i++) {
    o[o_at + i] = sums[i] / total;
  }
  log_sum_exp[(batch * params.heads + head) * params.seq_len + query] = highest + log(total);
}
