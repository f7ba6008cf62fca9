// What attention_backward_key.wgsl computes, with the same layouts, for GPUs: the part of attention's gradient that
// belongs to keys and values. FlashAttention-2: Dao, arXiv 2307.08691, algorithm 2. With p = exp(s − log_sum_exp),
// s = scale·q·kᵀ, and delta from attention_workgroup_backward_query.wgsl, which runs first:
//   dv = pᵀ·do,  ds = p·(do·vᵀ − delta),  dk = scale·dsᵀ·q
// into the k and v parts of d_qkv.
//
// A workgroup owns KEYS keys of one head and walks over the queries, QUERIES at a time. For each tile of queries
//   sᵀ, dpᵀ = k·qᵀ, v·doᵀ    in registers; both sides pass through workgroup memory, CHUNK packs of the head at a time
//   pᵀ                       into workgroup memory, to be the left side of the next product
//   dv += pᵀ·do              in registers; do passes through workgroup memory, SLICE queries at a time
//   dsᵀ, dk += dsᵀ·q         in the same way
// p is recomputed from log_sum_exp: nothing of size seq_len² is stored. The published kernel adds its dq with atomics
// from all workgroups; here dq has a kernel to itself, which costs the products s and dp a second time, and every sum
// has one owner and one order.
//
// The threads stand in GROUPS rows and COLUMNS columns. A thread owns ROWS keys, and of these one pack of queries in s
// and dp, and every COLUMNS-th pack of the head in dk and dv. So all products have one inner step: ROWS packs of the
// left side and WIDTH of the right side make ROWS·WIDTH·WIDTH multiply-adds, 8 for each read of workgroup memory at the
// defaults.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
alias block = mat4x4<f32>; // WIDTH packs
const WIDTH: u32 = 4; // of a pack
const HEAD_PACKS: u32 = 16; // head_dim / WIDTH
const KEYS: u32 = 32; // tune: 16 32
const ROWS: u32 = 4; // tune: 2 4
const COLUMNS: u32 = 8; // tune: 8 16
const CHUNK: u32 = 4; // tune: 4 8

const QUERIES: u32 = COLUMNS * WIDTH;
const GROUPS: u32 = KEYS / ROWS;
const THREADS: u32 = GROUPS * COLUMNS;
// Packs of the head that a thread owns.
const OWNED: u32 = (HEAD_PACKS + COLUMNS - 1) / COLUMNS;
// Rows of the tile lie an odd number of packs apart: eight threads that read one pack of eight rows then touch each of
// 32 banks once.
const STRIDE: u32 = CHUNK + 1;
const TILE: u32 = (KEYS + QUERIES) * STRIDE;
// For pᵀ·do and dsᵀ·q, do and q go into the same memory in so many slices, a power of two.
const SLICES: u32 = 1u << (32 - countLeadingZeros(QUERIES * HEAD_PACKS / TILE));
const SLICE: u32 = QUERIES / SLICES;

const_assert KEYS % ROWS == 0u && KEYS % 8u == 0u;
const_assert THREADS <= 256u;
const_assert CHUNK % 2u == 0u;
// All threads stage alike, and no further than the tile.
const_assert QUERIES * CHUNK % THREADS == 0u && KEYS * CHUNK % THREADS == 0u;
const_assert SLICE % WIDTH == 0u && SLICE > 0u;
const_assert 4u * (TILE * WIDTH + KEYS * QUERIES) <= 16384u;

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read> d_o: array<pack>;
@group(0) @binding(3) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(4) var<storage, read> delta: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_qkv: array<pack>;

// CHUNK packs of the rows of k or v, then of q or do; later a slice of do or q.
var<workgroup> tile: array<pack, TILE>;
// pᵀ, then dsᵀ, by key and pack of queries.
var<workgroup> weights: array<pack, KEYS * COLUMNS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let place = group.z * groups.y + group.y;
  if (place >= params.count) { // the grid is folded
    return;
  }
  let head = (params.first + place) % params.heads;
  let batch = (params.first + place) / params.heads;
  let key0 = group.x * KEYS;
  let scale = 1 / sqrt(f32(params.head_dim));
  let width = params.heads * HEAD_PACKS;
  let q_at = batch * params.seq_len * 3 * width + head * HEAD_PACKS;
  let k_at = q_at + width;
  let v_at = k_at + width;
  let o_at = batch * params.seq_len * width + head * HEAD_PACKS;
  let row_at = (batch * params.heads + head) * params.seq_len;
  let column = thread % COLUMNS;
  let row = thread / COLUMNS; // keys row, row + GROUPS, … are this thread's

  var dk: array<array<pack, ROWS>, OWNED>;
  var dv: array<array<pack, ROWS>, OWNED>;
  for (var query0 = 0u; query0 < params.seq_len; query0 += QUERIES) {
    var s = array<pack, ROWS>();
    var dp = array<pack, ROWS>();
    for (var chunk = 0u; chunk < HEAD_PACKS; chunk += CHUNK) {
      workgroupBarrier();
      stage_keys(thread, k_at, key0, chunk);
      stage_queries(thread, q_at, query0, chunk);
      workgroupBarrier();
      add_scores(thread, &s);
      workgroupBarrier();
      stage_keys(thread, v_at, key0, chunk);
      stage_gradients(thread, o_at, query0, chunk);
      workgroupBarrier();
      add_scores(thread, &dp);
    }

    // Of this column's queries. Past the end q, do and these are zeros, so that p = 1 and ds = 0 add nothing.
    var query_log_sum_exp: pack;
    var query_delta: pack;
    for (var c = 0u; c < WIDTH; c++) {
      let query = query0 + column * WIDTH + c;
      let inside = query < params.seq_len;
      let at = row_at + select(0, query, inside);
      query_log_sum_exp[c] = select(0, log_sum_exp[at], inside);
      query_delta[c] = select(0, delta[at], inside);
    }
    for (var i = 0u; i < ROWS; i++) {
      let p = exp(s[i] * scale - query_log_sum_exp);
      weights[(i * GROUPS + row) * COLUMNS + column] = p;
      dp[i] = p * (dp[i] - query_delta); // ds from here on
    }
    for (var slice = 0u; slice < QUERIES; slice += SLICE) {
      workgroupBarrier();
      stage_gradient_slice(thread, o_at, query0 + slice);
      workgroupBarrier();
      add_products(thread, slice, &dv);
    }

    workgroupBarrier();
    for (var i = 0u; i < ROWS; i++) {
      weights[(i * GROUPS + row) * COLUMNS + column] = dp[i];
    }
    for (var slice = 0u; slice < QUERIES; slice += SLICE) {
      workgroupBarrier();
      stage_query_slice(thread, q_at, query0 + slice);
      workgroupBarrier();
      add_products(thread, slice, &dk);
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    let key = key0 + i * GROUPS + row;
    if (key >= params.seq_len) {
      continue;
    }
    for (var n = 0u; n < OWNED; n++) {
      let at = n * COLUMNS + column;
      if (at < HEAD_PACKS) {
        d_qkv[k_at + key * 3 * width + at] = dk[n][i] * scale;
        d_qkv[v_at + key * 3 * width + at] = dv[n][i];
      }
    }
  }
}

// The row that a thread stages. Eight neighbouring threads store packs of two rows (or of one): four rows apart these touch
// each of 32 banks once, where neighbouring rows would collide.
fn staged_row(n: u32) -> u32 {
  let row = n / CHUNK;
  return (row & ~5u) | ((row & 1) << 2) | ((row >> 2) & 1);
}

// Packs chunk … chunk + CHUNK of k or v of keys key0 … key0 + KEYS into the tile.
fn stage_keys(thread: u32, k_at: u32, key0: u32, chunk: u32) {
  const COUNT = KEYS * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let row = staged_row(n);
    tile[row * STRIDE + n % CHUNK] = load(k_at, key0 + row, chunk + n % CHUNK);
  }
}

// Packs chunk … chunk + CHUNK of q of queries query0 … query0 + QUERIES into the tile, after the keys. Slot
// j·COLUMNS + c holds query c·WIDTH + j: the queries of column c make a pack, and for each j the columns read
// neighbouring slots.
fn stage_queries(thread: u32, q_at: u32, query0: u32, chunk: u32) {
  const COUNT = QUERIES * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let slot = staged_row(n);
    let query = slot % COLUMNS * WIDTH + slot / COLUMNS;
    tile[(KEYS + slot) * STRIDE + n % CHUNK] = load(q_at, query0 + query, chunk + n % CHUNK);
  }
}

// The same packs of do.
fn stage_gradients(thread: u32, o_at: u32, query0: u32, chunk: u32) {
  const COUNT = QUERIES * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let slot = staged_row(n);
    let query = slot % COLUMNS * WIDTH + slot / COLUMNS;
    tile[(KEYS + slot) * STRIDE + n % CHUNK] = load_gradient(o_at, query0 + query, chunk + n % CHUNK);
  }
}

// SLICE rows of q from query0 on into the tile.
fn stage_query_slice(thread: u32, q_at: u32, query0: u32) {
  const COUNT = SLICE * HEAD_PACKS;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    if (COUNT % THREADS == 0 || n < COUNT) {
      tile[n] = load(q_at, query0 + n / HEAD_PACKS, n % HEAD_PACKS);
    }
  }
}

// The same rows of do.
fn stage_gradient_slice(thread: u32, o_at: u32, query0: u32) {
  const COUNT = SLICE * HEAD_PACKS;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    if (COUNT % THREADS == 0 || n < COUNT) {
      tile[n] = load_gradient(o_at, query0 + n / HEAD_PACKS, n % HEAD_PACKS);
    }
  }
}

// A pack of a head's vector in qkv; zeros past the last token and past the end of the head.
fn load(head_at: u32, token: u32, at: u32) -> pack {
  let inside = token < params.seq_len && at < HEAD_PACKS;
  return select(pack(0), qkv[select(0, head_at + token * 3 * params.heads * HEAD_PACKS + at, inside)], inside);
}

// The same of do.
fn load_gradient(head_at: u32, token: u32, at: u32) -> pack {
  let inside = token < params.seq_len && at < HEAD_PACKS;
  return select(pack(0), d_o[select(0, head_at + token * params.heads * HEAD_PACKS + at, inside)], inside);
}

// s += left·rightᵀ over the packs of the head that are in the tile: for each of the thread's keys a pack of queries.
fn add_scores(thread: u32, s: ptr<function, array<pack, ROWS>>) {
  let column = thread % COLUMNS;
  let row = thread / COLUMNS;
  for (var d = 0u; d < CHUNK; d++) {
    var right: block;
    for (var j = 0u; j < WIDTH; j++) {
      right[j] = tile[(KEYS + j * COLUMNS + column) * STRIDE + d];
    }
    let across = transpose(right); // packs of queries; mere naming, as all of it is in registers
    for (var i = 0u; i < ROWS; i++) {
      let left = tile[(i * GROUPS + row) * STRIDE + d];
      for (var c = 0u; c < WIDTH; c++) {
        (*s)[i] = fma(pack(left[c]), across[c], (*s)[i]);
      }
    }
  }
}

// sums += weights·tile over the slice of queries that is in the tile.
fn add_products(thread: u32, slice: u32, sums: ptr<function, array<array<pack, ROWS>, OWNED>>) {
  let column = thread % COLUMNS;
  let row = thread / COLUMNS;
  for (var query = 0u; query < SLICE; query += WIDTH) {
    var left: array<pack, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
      left[i] = weights[(i * GROUPS + row) * COLUMNS + (slice + query) / WIDTH];
    }
    for (var n = 0u; n < OWNED; n++) {
      for (var c = 0u; c < WIDTH; c++) {
        // Past the end of the head this reads what no one will store.
        let right = tile[(query + c) * HEAD_PACKS + n * COLUMNS + column];
        for (var i = 0u; i < ROWS; i++) {
          (*sums)[n][i] = fma(pack(left[i][c]), right, (*sums)[n][i]);
        }
      }
    }
  }
}
