// The part of attention.wgsl's gradient that belongs to keys and values, with p = exp(q·k·scale − log_sum_exp):
//   dv = Σ_queries p·do,  dk = scale · Σ_queries p·(do·v − delta)·q
// into the k and v parts of d_qkv. Runs after attention_backward_query.wgsl, which makes delta. A thread owns one
// key and walks along the queries, so that the sums need no atomics and have one order.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const HEAD_PACKS: u32 = 16; // head_dim / PACK
const GROUP: u32 = 32; // tune: 16 32 64

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read> d_o: array<pack>;
@group(0) @binding(3) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<pack>;

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
  let key = group.x * GROUP + local.x;
  let scale = 1 / sqrt(f32(params.head_dim));
  if (key >= params.seq_len) {
    return;
  }
  let width = params.heads * HEAD_PACKS;
  let token0 = batch * params.seq_len;
  let k_at = (token0 + key) * 3 * width + width + head * HEAD_PACKS;
  let v_at = k_at + width;
  let row0 = (batch * params.heads + head) * params.seq_len;

  var k: array<pack, HEAD_PACKS>;
  var v: array<pack, HEAD_PACKS>;
  var dk: array<pack, HEAD_PACKS>;
  var dv: array<pack, HEAD_PACKS>;
  for (var i = 0u; i < HEAD_PACKS; i++) {
    k[i] = qkv[k_at + i] * scale;
    v[i] = qkv[v_at + i];
  }
  for (var query = 0u; query < params.seq_len; query++) {
    let q_at = (token0 + query) * 3 * width + head * HEAD_PACKS;
    let o_at = (token0 + query) * width + head * HEAD_PACKS;
    var scores = pack(0);
    var values = pack(0);
    for (var i = 0u; i < HEAD_PACKS; i++) {
      scores = fma(k[i], qkv[q_at + i], scores);
      values = fma(v[i], d_o[o_at + i], values);
    }
    let p = exp(dot(scores, pack(1)) - log_sum_exp[row0 + query]);
    let d_score = pack(p * (dot(values, pack(1)) - delta[row0 + query]));
    for (var i = 0u; i < HEAD_PACKS; i++) {
      dk[i] = fma(d_score, qkv[q_at + i], dk[i]);
      dv[i] = fma(pack(p), d_o[o_at + i], dv[i]);
    }
  }
  for (var i = 0u; i < HEAD_PACKS; i++) {
    d_qkv[k_at + i] = dk[i] * scale;
    d_qkv[v_at + i] = dv[i];
  }
}
