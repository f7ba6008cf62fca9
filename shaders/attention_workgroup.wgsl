// What attention.wgsl computes, with the same layouts, for GPUs: o = softmax(q·kᵀ/√head_dim)·v for every head, not
// causal, and log_sum_exp, the log of each softmax denominator. FlashAttention-2: Dao, arXiv 2307.08691, algorithm 1.
//
// A workgroup owns QUERIES queries of one head and walks over the keys, KEYS at a time. For each tile of keys
//   s = scale·q·kᵀ    in registers; q and k pass through workgroup memory, CHUNK packs of the head at a time
//   m = max(m, max s) for each query, over all threads that share it
//   p = exp(s − m)    into workgroup memory, to be the left side of the next product
//   o = o·exp(m before − m) + p·v    in registers; v passes through workgroup memory, SLICE keys at a time
// and at the end o / Σp. Nothing of size seq_len² is stored, and every sum has one owner and one order: no atomics.
//
// The threads stand in GROUPS rows and COLUMNS columns. A thread owns ROWS queries, and of these one pack of keys in s
// and every COLUMNS-th pack of the head in o. So both products have one inner step: ROWS packs of the left side and
// WIDTH of the right side make ROWS·WIDTH·WIDTH multiply-adds, 8 for each read of workgroup memory at the defaults.
// Threads of a row read the same packs of the left side, which costs one access, and neighbouring ones of the right.

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
// Rows of q and k lie an odd number of packs apart: eight threads that read one pack of eight rows then touch each of
// 32 banks once.
const STRIDE: u32 = CHUNK + 1;
const TILE: u32 = (QUERIES + KEYS) * STRIDE;
// v goes into the same memory in so many slices, a power of two.
const SLICES: u32 = 1u << (32 - countLeadingZeros(KEYS * HEAD_PACKS / TILE));
const SLICE: u32 = KEYS / SLICES;

const_assert QUERIES % ROWS == 0u && QUERIES % 8u == 0u;
const_assert THREADS <= 256u;
const_assert CHUNK % 2u == 0u;
// All threads stage alike, and no further than the tile.
const_assert QUERIES * CHUNK % THREADS == 0u && KEYS * CHUNK % THREADS == 0u;
const_assert SLICE % WIDTH == 0u && SLICE > 0u;
const_assert 4u * (TILE * WIDTH + QUERIES * KEYS + QUERIES * COLUMNS) <= 16384u;

// A launch computes `count` heads from the `first` on, counted through the batch.
struct Params { batch: u32, seq_len: u32, heads: u32, head_dim: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<pack>;
@group(0) @binding(2) var<storage, read_write> o: array<pack>;
@group(0) @binding(3) var<storage, read_write> log_sum_exp: array<f32>;

// CHUNK packs of the rows of q, then of k; later a slice of v.
var<workgroup> tile: array<pack, TILE>;
// p, by query and pack of keys.
var<workgroup> weights: array<pack, QUERIES * COLUMNS>;
// What the threads of a row reduce together, by query and column.
var<workgroup> partial: array<f32, QUERIES * COLUMNS>;

// Below any score: the first keys always raise the maximum.
const LOWEST: f32 = -3.4e38;

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
  let scale = 1 / sqrt(f32(params.head_dim));
  let width = params.heads * HEAD_PACKS;
  let q_at = batch * params.seq_len * 3 * width + head * HEAD_PACKS;
  let k_at = q_at + width;
  let v_at = k_at + width;
  let column = thread % COLUMNS;
  let row = thread / COLUMNS; // queries row, row + GROUPS, … are this thread's

  var sums: array<array<pack, ROWS>, OWNED>;
  var highest: array<f32, ROWS>;
  var total: array<f32, ROWS>; // over this thread's keys only, until the end
  for (var i = 0u; i < ROWS; i++) {
    highest[i] = LOWEST;
  }

  for (var key0 = 0u; key0 < params.seq_len; key0 += KEYS) {
    var s = array<pack, ROWS>();
    for (var chunk = 0u; chunk < HEAD_PACKS; chunk += CHUNK) {
      workgroupBarrier();
      stage_queries(thread, q_at, query0, chunk);
      stage_keys(thread, k_at, key0, chunk);
      workgroupBarrier();
      add_scores(thread, &s);
    }

    for (var i = 0u; i < ROWS; i++) {
      var most = LOWEST;
      for (var c = 0u; c < WIDTH; c++) {
        // A key past the end gets the weight exp(−huge) = 0.
        s[i][c] = select(LOWEST, s[i][c] * scale, key0 + column * WIDTH + c < params.seq_len);
        most = max(most, s[i][c]);
      }
      partial[(i * GROUPS + row) * COLUMNS + column] = most;
    }
    workgroupBarrier();
    for (var i = 0u; i < ROWS; i++) {
      let before = highest[i];
      for (var c = 0u; c < COLUMNS; c++) {
        highest[i] = max(highest[i], partial[(i * GROUPS + row) * COLUMNS + c]);
      }
      let p = exp(s[i] - highest[i]);
      weights[(i * GROUPS + row) * COLUMNS + column] = p;
      let rescale = exp(before - highest[i]);
      total[i] = fma(total[i], rescale, dot(p, pack(1)));
      for (var n = 0u; n < OWNED; n++) {
        sums[n][i] *= rescale;
      }
    }

    for (var slice = 0u; slice < KEYS; slice += SLICE) {
      workgroupBarrier();
      stage_values(thread, v_at, key0 + slice);
      workgroupBarrier();
      add_products(thread, slice, &sums);
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    partial[(i * GROUPS + row) * COLUMNS + column] = total[i];
  }
  workgroupBarrier();
  for (var i = 0u; i < ROWS; i++) {
    let query = query0 + i * GROUPS + row;
    if (query >= params.seq_len) {
      continue;
    }
    var denominator = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
      denominator += partial[(i * GROUPS + row) * COLUMNS + c];
    }
    let o_at = (batch * params.seq_len + query) * width + head * HEAD_PACKS;
    for (var n = 0u; n < OWNED; n++) {
      let at = n * COLUMNS + column;
      if (at < HEAD_PACKS) {
        o[o_at + at] = sums[n][i] / denominator;
      }
    }
    if (column == 0) {
      log_sum_exp[(batch * params.heads + head) * params.seq_len + query] = highest[i] + log(denominator);
    }
  }
}

// The row that a thread stages. Eight neighbouring threads store packs of two rows (or of one): four rows apart these touch
// each of 32 banks once, where neighbouring rows would collide.
fn staged_row(n: u32) -> u32 {
  let row = n / CHUNK;
  return (row & ~5u) | ((row & 1) << 2) | ((row >> 2) & 1);
}

// Packs chunk … chunk + CHUNK of queries query0 … query0 + QUERIES into the tile.
fn stage_queries(thread: u32, q_at: u32, query0: u32, chunk: u32) {
  const COUNT = QUERIES * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let row = staged_row(n);
    tile[row * STRIDE + n % CHUNK] = load(q_at, query0 + row, chunk + n % CHUNK);
  }
}

// Packs chunk … chunk + CHUNK of keys key0 … key0 + KEYS into the tile, after the queries. Slot j·COLUMNS + c holds
// key c·WIDTH + j: the keys of column c make a pack, and for each j the columns read neighbouring slots.
fn stage_keys(thread: u32, k_at: u32, key0: u32, chunk: u32) {
  const COUNT = KEYS * CHUNK;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    let slot = staged_row(n);
    let key = slot % COLUMNS * WIDTH + slot / COLUMNS;
    tile[(QUERIES + slot) * STRIDE + n % CHUNK] = load(k_at, key0 + key, chunk + n % CHUNK);
  }
}

// SLICE rows of v from key0 on into the tile.
fn stage_values(thread: u32, v_at: u32, key0: u32) {
  const COUNT = SLICE * HEAD_PACKS;
  for (var round = 0u; round < COUNT; round += THREADS) {
    let n = round + thread;
    if (COUNT % THREADS == 0 || n < COUNT) {
      tile[n] = load(v_at, key0 + n / HEAD_PACKS, n % HEAD_PACKS);
    }
  }
}

// A pack of a head's vector in qkv; zeros past the last token and past the end of the head.
fn load(head_at: u32, token: u32, at: u32) -> pack {
  let inside = token < params.seq_len && at < HEAD_PACKS;
  return select(pack(0), qkv[select(0, head_at + token * 3 * params.heads * HEAD_PACKS + at, inside)], inside);
}

// s += q·kᵀ over the packs of the head that are in the tile: for each of the thread's queries a pack of keys.
fn add_scores(thread: u32, s: ptr<function, array<pack, ROWS>>) {
  let column = thread % COLUMNS;
  let row = thread / COLUMNS;
  for (var d = 0u; d < CHUNK; d++) {
    var k: block;
    for (var j = 0u; j < WIDTH; j++) {
      k[j] = tile[(QUERIES + j * COLUMNS + column) * STRIDE + d];
    }
    let k_across = transpose(k); // packs of keys; mere naming, as all of it is in registers
    for (var i = 0u; i < ROWS; i++) {
      let q = tile[(i * GROUPS + row) * STRIDE + d];
      for (var c = 0u; c < WIDTH; c++) {
        (*s)[i] = fma(pack(q[c]), k_across[c], (*s)[i]);
      }
    }
  }
}

// sums += p·v over the slice of keys that is in the tile.
fn add_products(thread: u32, slice: u32, sums: ptr<function, array<array<pack, ROWS>, OWNED>>) {
  let column = thread % COLUMNS;
  let row = thread / COLUMNS;
  for (var key = 0u; key < SLICE; key += WIDTH) {
    var p: array<pack, ROWS>;
    for (var i = 0u; i < ROWS; i++) {
      p[i] = weights[(i * GROUPS + row) * COLUMNS + (slice + key) / WIDTH];
    }
    for (var n = 0u; n < OWNED; n++) {
      for (var c = 0u; c < WIDTH; c++) {
        // Past the end of the head this reads what no one will store.
        let v = tile[(key + c) * HEAD_PACKS + n * COLUMNS + column];
        for (var i = 0u; i < ROWS; i++) {
          (*sums)[n][i] = fma(pack(p[i][c]), v, (*sums)[n][i]);
        }
      }
    }
  }
}
