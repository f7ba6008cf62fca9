enable subgroups;

// What attention_backward_query.wgsl computes, with the same layouts:
//   delta = do·o,  dq = scale · Σ_keys p·(do·v − delta)·k,  p = exp(q·k·scale − log_sum_exp)
// Keys and values are loaded by the lanes of a subgroup together, as in attention_subgroup.wgsl, one key at a time.

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
@group(0) @binding(2) var<storage, read> o: array<pack>;
@group(0) @binding(3) var<storage, read> d_o: array<pack>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<pack>;

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
  // Queries past the end repeat the last one and are not stored: every lane must take part in shuffles.
  let query = min(group.x * GROUP + local.x, last);
  let q_at = (token0 + query) * 3 * width + head * HEAD_PACKS;
  let o_at = (token0 + query) * width + head * HEAD_PACKS;
  let row = (batch * params.heads + head) * params.seq_len + query;

  var q = load(q_at);
  var g: array<pack, HEAD_PACKS>;
  var dq: array<pack, HEAD_PACKS>;
  var products = pack(0);
  for (var i = 0u; i < unknown_packs(); i++) {
    let gradient = d_o[o_at + i];
    g[i] = gradient;
    products = fma(gradient, o[o_at + i], products);
  }
  for (var i = 0u; i < HEAD_PACKS; i++) {
    q[i] *= scale;
  }
  let row_delta = dot(products, pack(1));
  let row_log_sum_exp = log_sum_exp[row];

  for (var key = 0u; key < params.seq_len; key++) {
    let k_at = (token0 + key) * 3 * width + width + head * HEAD_PACKS;
    var k: array<pack, LOADS>;
    var v: array<pack, LOADS>;
    for (var c = 0u; c < LOADS; c++) {
      let share = min(c * LANES + lane % LANES, HEAD_PACKS - 1);
      k[c] = qkv[k_at + share];
      v[c] = qkv[k_at + width + share];
    }
    var scores = pack(0);
    var values = pack(0);
    for (var i = 0u; i < HEAD_PACKS; i++) {
      scores = fma(q[i], subgroupShuffle(k[i / LANES], i % LANES), scores);
      values = fma(g[i], subgroupShuffle(v[i / LANES], i % LANES), values);
    }
    let p = exp(dot(scores, pack(1)) - row_log_sum_exp);
    let d_score = pack(p * (dot(values, pack(1)) - row_delta));
    for (var i = 0u; i < HEAD_PACKS; i++) {
      dq[i] = fma(d_score, subgroupShuffle(k[i / LANES], i % LANES), dq[i]);
    }
  }

  if (group.x * GROUP + local.x > last) {
    return;
  }
  delta[row] = row_delta;
  for (var i = 0u; i < HEAD_PACKS; i++) {
    dq[i] *= scale;
  }
  store(q_at, dq);
}
