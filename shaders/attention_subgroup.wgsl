enable subgroups;

// What attention.wgsl computes, with the same layouts: o = softmax(q·kᵀ/√head_dim)·v for every head, and log_sum_exp.
//
// A thread owns one query, and the threads of a subgroup, which walk along the same keys, load them together: a block
// of BLOCK keys is BLOCK·HEAD_PACKS packs, of which each of 8 lanes reads its share, and all get them by shuffle. That is
// an eighth of the loads, and a quarter of the code to compile. Needs subgroups of at least 8 lanes.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const HEAD_PACKS: u32 = 16; // head_dim / PACK
const BLOCK: u32 = 2; // tune: 1 2 4 8
const GROUP: u32 = 32; // tune: 16 32 64

const LANES: u32 = 8;
const LOADS: u32 = (BLOCK * HEAD_PACKS + LANES - 1) / LANES;

const_assert GROUP % LANES == 0u;

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read_write> o: array<pack>;
@group(0) @binding(3) var<storage, read_write> log_sum_exp: array<f32>;

// Below any score: the first keys always raise the maximum.
const LOWEST: f32 = -3.4e38;

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

/// To a head of o.
fn store(first: u32, values: array<pack, HEAD_PACKS>) {
  var stored = values;
  for (var i = 0u; i < unknown_packs(); i++) {
    o[first + i] = stored[i];
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
  let query = group.x * GROUP + local.x;
  let scale = 1 / sqrt(f32(params.head_dim));
  let last = params.seq_len - 1;
  let width = params.heads * HEAD_PACKS;
  let token0 = batch * params.seq_len;
  // Queries past the end repeat the last one and are not stored: every lane must take part in shuffles.
  let token = token0 + min(query, last);

  var q = load(token * 3 * width + head * HEAD_PACKS);
  var sums: array<pack, HEAD_PACKS>;
  for (var i = 0u; i < HEAD_PACKS; i++) {
    q[i] *= scale;
  }

  // This lane's share of a block: which key of the block, and which of its packs.
  var share_key: array<u32, LOADS>;
  var share_pack: array<u32, LOADS>;
  for (var c = 0u; c < LOADS; c++) {
    let share = min(c * LANES + lane % LANES, BLOCK * HEAD_PACKS - 1);
    share_key[c] = share / HEAD_PACKS;
    share_pack[c] = width + head * HEAD_PACKS + share % HEAD_PACKS;
  }

  var highest = LOWEST;
  var total = 0.0;
  for (var key0 = 0u; key0 < params.seq_len; key0 += BLOCK) {
    var k: array<pack, LOADS>;
    var v: array<pack, LOADS>;
    for (var c = 0u; c < LOADS; c++) {
      let at = (token0 + min(key0 + share_key[c], last)) * 3 * width + share_pack[c];
      k[c] = qkv[at];
      v[c] = qkv[at + width];
    }

    var weights: array<f32, BLOCK>;
    var new_highest = highest;
    for (var j = 0u; j < BLOCK; j++) {
      var products = pack(0);
      for (var i = 0u; i < HEAD_PACKS; i++) {
        let share = j * HEAD_PACKS + i;
        products = fma(q[i], subgroupShuffle(k[share / LANES], share % LANES), products);
      }
      // A key past the end gets the weight exp(−huge) = 0.
      weights[j] = select(LOWEST, dot(products, pack(1)), key0 + j <= last);
      new_highest = max(new_highest, weights[j]);
    }
    let rescale = exp(highest - new_highest);
    highest = new_highest;
    total *= rescale;
    for (var j = 0u; j < BLOCK; j++) {
      weights[j] = exp(weights[j] - highest);
      total += weights[j];
    }
    for (var i = 0u; i < HEAD_PACKS; i++) {
      sums[i] *= rescale;
    }
    for (var j = 0u; j < BLOCK; j++) {
      for (var i = 0u; i < HEAD_PACKS; i++) {
        let share = j * HEAD_PACKS + i;
        sums[i] = fma(pack(weights[j]), subgroupShuffle(v[share / LANES], share % LANES), sums[i]);
      }
    }
  }

  if (query > last) {
    return;
  }
  for (var i = 0u; i < HEAD_PACKS; i++) {
    sums[i] /= total;
  }
  store(token * width + head * HEAD_PACKS, sums);
  log_sum_exp[(batch * params.heads + head) * params.seq_len + query] = highest + log(total);
}
