enable subgroups;

// What attention_backward_key.wgsl computes, with the same layouts:
//   dv = Σ_queries p·do,  dk = scale · Σ_queries p·(do·v − delta)·q,  p = exp(q·k·scale − log_sum_exp)
// Queries and their gradients are loaded by the lanes of a subgroup together, as in attention_subgroup.wgsl, one query
// at a time.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const HEAD_PACKS: u32 = 16; // head_dim / PACK
const GROUP: u32 = 32; // tune: 16 32 64

const LANES: u32 = 8;
const LOADS: u32 = (HEAD_PACKS + LANES - 1) / LANES;

const_assert GROUP % LANES == 0u;

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read> d_o: array<pack>;
@group(0) @binding(3) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<pack>;

/// HEAD_PACKS, but compilers do not know it: they would unroll the loops that only load and store, and software adapters
/// take seconds to compile what comes of it.
fn unknown_packs() -> u32 {
  return params.head_dim / PACK;
}

/// A head of qkv.
fn load(first: u32) -> array<pack, HEAD_PACKS> {
  var values: array<pack, HEAD_PACKS>;
  for (var i = 0u; i < unknown_packs(); i++) {
    values[i] = qkv[first + i];
  }
  return values;
}

/// To a head of d_qkv.
fn store(first: u32, values: array<pack, HEAD_PACKS>) {
  var stored = values;
  for (var i = 0u; i < unknown_packs(); i++) {
    d_qkv[first + i] = stored[i];
  }
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let place = group.z * groups.y + group.y;
  if (place >= params.count) { // the grid is folded
    return;
  }
  let head = (params.first + place) % params.heads;
  let batch = (params.first + place) / params.heads;
  let scale = 1 / sqrt(f32(params.head_dim));
  let last = params.seq_len - 1;
  let width = params.heads * HEAD_PACKS;
  let token0 = batch * params.seq_len;
  // Keys past the end repeat the last one and are not stored: every lane must take part in shuffles.
  let key = min(group.x * GROUP + local.x, last);
  let k_at = (token0 + key) * 3 * width + width + head * HEAD_PACKS;
  let v_at = k_at + width;
  let row0 = (batch * params.heads + head) * params.seq_len;

  var k = load(k_at);
  var v = load(v_at);
  var dk: array<pack, HEAD_PACKS>;
  var dv: array<pack, HEAD_PACKS>;
  for (var i = 0u; i < HEAD_PACKS; i++) {
    k[i] *= scale;
  }
  for (var query = 0u; query < params.seq_len; query++) {
    let q_at = (token0 + query) * 3 * width + head * HEAD_PACKS;
    let o_at = (token0 + query) * width + head * HEAD_PACKS;
    var q: array<pack, LOADS>;
    var g: array<pack, LOADS>;
    for (var c = 0u; c < LOADS; c++) {
      let share = min(c * LANES + lane % LANES, HEAD_PACKS - 1);
      q[c] = qkv[q_at + share];
      g[c] = d_o[o_at + share];
    }
    var scores = pack(0);
    var values = pack(0);
    for (var i = 0u; i < HEAD_PACKS; i++) {
      scores = fma(k[i], subgroupShuffle(q[i / LANES], i % LANES), scores);
      values = fma(v[i], subgroupShuffle(g[i / LANES], i % LANES), values);
    }
    let p = exp(dot(scores, pack(1)) - log_sum_exp[row0 + query]);
    let d_score = pack(p * (dot(values, pack(1)) - delta[row0 + query]));
    for (var i = 0u; i < HEAD_PACKS; i++) {
      dk[i] = fma(d_score, subgroupShuffle(q[i / LANES], i % LANES), dk[i]);
      dv[i] = fma(pack(p), subgroupShuffle(g[i / LANES], i % LANES), dv[i]);
    }
  }

  if (group.x * GROUP + local.x > last) {
    return;
  }
  for (var i = 0u; i < HEAD_PACKS; i++) {
    dk[i] *= scale;
  }
  store(k_at, dk);
  store(v_at, dv);
}
