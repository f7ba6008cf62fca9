// What attention_backward_query.wgsl computes, with the same layouts, for GPUs: the part of attention's gradient that
// belongs to queries. FlashAttention-2: Dao, arXiv 2307.08691, algorithm 2, with its loops over queries and keys
// exchanged, so that dq stays with one owner. With p = exp(s − log_sum_exp), s = scale·q·kᵀ:
//   delta = Σ do·o    once for each query: the softmax's pull on all its scores alike
//   ds = p·(do·vᵀ − delta),  dq = scale·ds·k
// dq goes into the q part of d_qkv; delta [batch, heads, seq_len] is kept for attention_workgroup_backward_key.wgsl.
//
// A workgroup owns QUERIES queries of one head and walks over the keys, KEYS at a time, as attention_workgroup.wgsl
// does. For each tile of keys
//   s, dp = q·kᵀ, do·vᵀ    in registers; both sides pass through workgroup memory, CHUNK packs of the head at a time
//   ds = p·(dp − delta)    into workgroup memory, to be the left side of the next product
//   dq += ds·k             in registers; k passes through workgroup memory, SLICE keys at a time
// p is recomputed from log_sum_exp: nothing of size seq_len² is stored. Every sum has one owner and one order: no
// atomics.
//
// The threads stand in GROUPS rows and COLUMNS columns. A thread owns ROWS queries, and of these one pack of keys in s
// and dp, and every COLUMNS-th pack of the head in dq. So all products have one inner step: ROWS packs of the left side
// and WIDTH of the right side make ROWS·WIDTH·WIDTH multiply-adds, 8 for each read of workgroup memory at the defaults.

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
alias block = mat4x4<f32>; // WIDTH packs
const WIDTH: u32 = 4; // of a pack
const HEAD_PACKS: u32 = 16; // head_dim / WIDTH
const QUERIES: u32 = 32; // tune: 16 32
const ROWS: u32 = 4; // tune: 2 4
const COLUMNS: u32 = 8; // tune: 8 16
const CHUNK: u32 = 4; // tune: 4 8

const KEYS: u32 = COLUMNS * WIDTH;
const GROUPS: u32 = QUERIES / ROWS;
const THREADS: u32 = GROUPS * COLUMNS;
// Packs of the head that a thread owns.
const OWNED: u32 = (HEAD_PACKS + COLUMNS - 1) / COLUMNS;
// Rows of the tile lie an odd number of packs apart: eight threads that read one pack of eight rows then touch each of
// 32 banks once.
const STRIDE: u32 = CHUNK + 1;
const TILE: u32 = (QUERIES + KEYS) * STRIDE;
// For ds·k, k goes into the same memory in so many slices, a power of two.
const SLICES: u32 = 1u << (32 - countLeadingZeros(KEYS * HEAD_PACKS / TILE));
const SLICE: u32 = KEYS / SLICES;

const_assert QUERIES % ROWS == 0u && QUERIES % 8u == 0u;
const_assert THREADS <= 256u;
const_assert CHUNK % 2u == 0u;
// All threads stage alike, and no further than the tile.
const_assert QUERIES * CHUNK % THREADS == 0u && KEYS * CHUNK % THREADS == 0u;
const_assert SLICE % WIDTH == 0u && SLICE > 0u;
const_assert 4u * (TILE * WIDTH + QUERIES * KEYS) <= 16384u;

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read> o: array<pack>;
@group(0) @binding(3) var<storage, read> d_o: array<pack>;
@group(0) @binding(4) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_qkv: array<pack>;

// CHUNK packs of the rows of q or do, then of k or v; later a slice of k.
var<workgroup> tile: array<pack, TILE>;
// ds, by query and pack of keys; before that, parts of delta, by query and column.
var<workgroup> d_scores: array<pack, QUERIES * COLUMNS>;

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
  let query0 = group.x * QUERIES;
  let last = params.seq_len - 1;
  let scale = 1 / sqrt(f32(params.head_dim));
  let width = params.heads * HEAD_PACKS;
  let q_at = batch * params.seq_len * 3 * width + head * HEAD_PACKS;
  let k_at = q_at + width;
  let v_at = k_at + width;
  let o_at = batch * params.seq_len * width + head * HEAD_PACKS;
  let row_at = (batch * params.heads + head) * params.seq_len;
  let column = thread % COLUMNS;
  let row = thread / COLUMNS; // queries row, row + GROUPS, … are this thread's

  // Queries past the end take the last one's numbers and are not stored.
  var row_log_sum_exp: array<f32, ROWS>;
  for (var i = 0u; i < ROWS; i++) {
    let query = min(query0 + i * GROUPS + row, last);
    row_log_sum_exp[i] = log_sum_exp[row_at + query];
    var products = pack(0);
    for (var at = column; at < HEAD_PACKS; at += COLUMNS) {
      products = fma(d_o[o_at + query * width + at], o[o_at + query * width + at], products);
    }
    d_scores[(i * GROUPS + row) * COLUMNS + column] = products;
  }
  workgroupBarrier();
  var row_delta: array<f32, ROWS>;
  for (var i = 0u; i < ROWS; i++) {
    var products = pack(0);
    for (var c = 0u; c < COLUMNS; c++) {
      products += d_scores[(i * GROUPS + row) * COLUMNS + c];
    }
    row_delta[i] = dot(products, pack(1));
  }

  var dq: array<array<pack, ROWS>, OWNED>;
  for (var key0 = 0u; key0 < params.seq_len; key0 += KEYS) {
    var s = array<pack, ROWS>();
    var dp = array<pack, ROWS>();
    for (var chunk = 0u; chunk < HEAD_PACKS; chunk += CHUNK) {
      workgroupBarrier();
      stage_queries(thread, q_at, query0, chunk);
      stage_keys(thread, k_at, key0, chunk);
      workgroupBarrier();
      add_scores(thread, &s);
      workgroupBarrier();
      stage_gradients(thread, o_at, query0, chunk);
      stage_keys(thread, v_at, key0, chunk);
      workgroupBarrier();
      add_scores(thread, &dp);
    }

    for (var i = 0u; i < ROWS; i++) {
      var p = exp(s[i] * scale - row_log_sum_exp[i]);
      for (var c = 0u; c < WIDTH; c++) {
        // Keys past the end: k is 0 there, but exp(−log_sum_exp) may be infinite.
        p[c] = select(0, p[c], key0 + column * WIDTH + c <= last);
      }
      d_scores[(i * GROUPS + row) * COLUMNS + column] = p * (dp[i] - row_delta[i]);
    }

    for (var slice = 0u; slice < KEYS; slice += SLICE) {
      workgroupBarrier();
      stage_slice(thread, k_at, key0 + slice);
      workgroupBarrier();
      add_products(thread, slice, &dq);
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    let query = query0 + i * GROUPS + row;
    if (query > last) {
      continue;
    }
    for (var n = 0u; n < OWNED; n++) {
      let at = n * COLUMNS + column;
      if (at < HEAD_PACKS) {
        d_qkv[q_at + query * 3 * width + at] = dq[n][i] * scale;
      }
    }
    if (column == 0) {
      delta[row_at + query] = row_delta[i];
    }
  }
}

// The row that a thread stages. Eight neighbouring threads store packs of two rows (or of one): four rows apart these touch
// each of 32 banks once, where neighbouring rows would collide.
fn staged_row(n: u32) -> u32 {
  let row = n / CHUNK;
  return (row & ~5u) | ((row & 1) << 2) | ((row >> 2) & 1);
}

// Packs chunk … chunk + CHUNK of q of queries query0 … query0 + QUERIES into the tile.
fn stage_queries(thread: u32, q_at: u32, query0: u32, chunk: u32) {
  const COUNT = QUERIES * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let row = staged_row(n);
    tile[row * STRIDE + n % CHUNK] = load(q_at, query0 + row, chunk + n % CHUNK);
  }
}

// The same packs of do.
fn stage_gradients(thread: u32, o_at: u32, query0: u32, chunk: u32) {
  const COUNT = QUERIES * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let row = staged_row(n);
    tile[row * STRIDE + n % CHUNK] = load_gradient(o_at, query0 + row, chunk + n % CHUNK);
  }
}

// Packs chunk … chunk + CHUNK of k or v of keys key0 … key0 + KEYS into the tile, after the queries. Slot
// j·COLUMNS + c holds key c·WIDTH + j: the keys of column c make a pack, and for each j the columns read neighbouring
// slots.
fn stage_keys(thread: u32, k_at: u32, key0: u32, chunk: u32) {
  const COUNT = KEYS * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let slot = staged_row(n);
    let key = slot % COLUMNS * WIDTH + slot / COLUMNS;
    tile[(QUERIES + slot) * STRIDE + n % CHUNK] = load(k_at, key0 + key, chunk + n % CHUNK);
  }
}

// SLICE rows of k from key0 on into the tile.
fn stage_slice(thread: u32, k_at: u32, key0: u32) {
  const COUNT = SLICE * HEAD_PACKS;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    if (COUNT % THREADS == 0 || n < COUNT) {
      tile[n] = load(k_at, key0 + n / HEAD_PACKS, n % HEAD_PACKS);
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

// s += left·rightᵀ over the packs of the head that are in the tile: for each of the thread's queries a pack of keys.
fn add_scores(thread: u32, s: ptr<function, array<pack, ROWS>>) {
  let column = thread % COLUMNS;
  let row = thread / COLUMNS;
  for (var d = 0u; d < CHUNK; d++) {
    var right: block;
    for (var j = 0u; j < WIDTH; j++) {
      right[j] = tile[(QUERIES + j * COLUMNS + column) * STRIDE + d];
    }
    let across = transpose(right); // packs of keys; mere naming, as all of it is in registers
    for (var i = 0u; i < ROWS; i++) {
      let left = tile[(i * GROUPS + row) * STRIDE + d];
      for (var c = 0u; c < WIDTH; c++) {
        (*s)[i] = fma(pack(left[c]), across[c], (*s)[i]);
      }
    }
  }
}

// sums += ds·k over the slice of keys that is in the tile.
fn add_products(thread: u32, slice: u32, sums: ptr<function, array<array<pack, ROWS>, OWNED>>) {
  let column = thread % COLUMNS;
  let row = thread / COLUMNS;
  for (var key = 0u; key < SLICE; key += WIDTH) {
    var ds: array<pack, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
      ds[i] = d_scores[(i * GROUPS + row) * COLUMNS + (slice + key) / WIDTH];
    }
    for (var n = 0u; n < OWNED; n++) {
      for (var c = 0u; c < WIDTH; c++) {
        // Past the end of the head this reads what no one will store.
        let k = tile[(key + c) * HEAD_PACKS + n * COLUMNS + column];
        for (var i = 0u; i < ROWS; i++) {
          (*sums)[n][i] = fma(pack(ds[i][c]), k, (*sums)[n][i]);
        }
      }
    }
  }
}
