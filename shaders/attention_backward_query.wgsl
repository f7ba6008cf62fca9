// The part of attention.wgsl's gradient that belongs to queries, with p = exp(q·k·scale − log_sum_exp):
//   delta = do·o,  dq = scale · Σ_keys p·(do·v − delta)·k
// dq goes into the q part of d_qkv; delta [batch, heads, seq_len] is kept for attention_backward_key.wgsl.
// FlashAttention's backward, arXiv 2205.14135, appendix B, with a thread per query.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const HEAD_PACKS: u32 = 16; // head_dim / PACK
const GROUP: u32 = 32; // tune: 16 32 64

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read> o: array<pack>;
@group(0) @binding(3) var<storage, read> d_o: array<pack>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<pack>;

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
  let o_at = (token0 + query) * width + head * HEAD_PACKS;
  let row = (batch * params.heads + head) * params.seq_len + query;

  var q: array<pack, HEAD_PACKS>;
  var g: array<pack, HEAD_PACKS>;
  var dq: array<pack, HEAD_PACKS>;
  var products = pack(0);
  for (var i = 0u; i < HEAD_PACKS; i++) {
    q[i] = qkv[q_at + i] * scale;
    g[i] = d_o[o_at + i];
    products = fma(g[i], o[o_at + i], products);
  }
  let row_delta = dot(products, pack(1));
  delta[row] = row_delta;

  for (var key = 0u; key < params.seq_len; key++) {
    let k_at = (token0 + key) * 3 * width + width + head * HEAD_PACKS;
    let v_at = k_at + width;
    var scores = pack(0);
    var values = pack(0);
    var k: array<pack, HEAD_PACKS>;
    for (var i = 0u; i < HEAD_PACKS; i++) {
      k[i] = qkv[k_at + i];
      scores = fma(q[i], k[i], scores);
      values = fma(g[i], qkv[v_at + i], values);
    }
    let p = exp(dot(scores, pack(1)) - log_sum_exp[row]);
    let d_score = pack(p * (dot(values, pack(1)) - row_delta));
    for (var i = 0u; i < HEAD_PACKS; i++) {
      dq[i] = fma(d_score, k[i], dq[i]);
    }
  }
  for (var i = 0u; i < HEAD_PACKS; i++) {
    d_qkv[q_at + i] = dq[i] * scale;
  }
}
