// C = A·B for A [m, k], B [k, n], C [m, n]; B and C row-major, A by two strides, as in matmul.wgsl.
//
// For GPUs: a workgroup computes a tile of (ROWS·THREADS_Y) × (PACKS·THREADS_X packs) outputs. TILE_K terms at a time it
// copies what it needs of A and B to workgroup memory, where each value serves a whole row or column of the tile, and
// a thread multiplies from there into its ROWS × PACKS packs: 32 multiply-adds for 3 reads of four values. The
// next part is on its way from memory to registers meanwhile. Sums have the order of matmul.wgsl, so the bits
// are the same. Idea: Volkov & Demmel, "Benchmarking GPUs to tune dense linear algebra", 2008.
//
// With splits > 1 ("split k": for k much longer than m and n, where there would be too few workgroups), C is
// [splits, m, n]: part s sums its share of the blocks of k, and the parts still have to be added (batch_sum.wgsl).

alias pack = vec4<f32>; // of B and C, as wide as n allows: vec4<f32>, vec2<f32> or f32
const PACK: u32 = 4;
alias a_pack = vec4<f32>; // of A: vec4<f32> if four terms of a row lie together and aligned, else f32
const A_PACK: u32 = 4;
const A_ALONG_K: bool = true; // whether neighbouring threads read neighbours along k (A row-major) or along m
const ROWS: u32 = 8; // tune: 4 8
const PACKS: u32 = 1; // tune: 1 2
const THREADS_X: u32 = 16; // tune: 8 16
const THREADS_Y: u32 = 8; // tune: 8 16
const TILE_K: u32 = 8; // tune: 8 16

const BLOCK: u32 = 32; // terms of k summed by themselves, so that rounding errors grow with √BLOCK + √(k/BLOCK)
const THREADS: u32 = THREADS_X * THREADS_Y;
const TILE_ROWS: u32 = ROWS * THREADS_Y;
const TILE_PACKS: u32 = PACKS * THREADS_X;
const K_PACKS: u32 = TILE_K / 4;
// Along k, eight neighbouring threads store eight packs that follow each other. Along m they store one pack of eight
// rows: an odd number of packs apart, these lie in different banks.
const A_PITCH: u32 = select(K_PACKS + 1, K_PACKS, A_ALONG_K);
const A_LOADS: u32 = TILE_ROWS * K_PACKS / THREADS; // of four terms
const B_LOADS: u32 = TILE_K * TILE_PACKS / THREADS; // of a pack

const_assert BLOCK % TILE_K == 0u && TILE_K % 4u == 0u;
const_assert A_LOADS * THREADS == TILE_ROWS * K_PACKS && B_LOADS * THREADS == TILE_K * TILE_PACKS;
const_assert 4 * (4 * TILE_ROWS * A_PITCH + PACK * TILE_K * TILE_PACKS) <= 16384u;

// A launch computes `count` rows of C from the `first` on.
struct Params { m: u32, n: u32, k: u32, a_row: u32, a_column: u32, splits: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<a_pack>;
@group(0) @binding(2) var<storage, read> b: array<pack>;
@group(0) @binding(3) var<storage, read_write> c: array<pack>;

var<workgroup> tile_a: array<vec4<f32>, TILE_ROWS * A_PITCH>; // [row][k / 4], four terms each
var<workgroup> tile_b: array<pack, TILE_K * TILE_PACKS>; // [k][pack]

// What one thread copies of TILE_K terms.
struct Copied { a: array<vec4<f32>, A_LOADS>, b: array<pack, B_LOADS> }

// Row and group of four terms of the i-th load of A.
fn a_place(thread: u32, i: u32) -> vec2<u32> {
  let at = thread + i * THREADS;
  return select(vec2(at % TILE_ROWS, at / TILE_ROWS), vec2(at / K_PACKS, at % K_PACKS), A_ALONG_K);
}

// Four terms of a row of A from term k on. What lies past an edge is read from the last row or term instead: a branch
// would wait for the load at its end.
fn load_a(row: u32, k: u32) -> vec4<f32> {
  let at = min(row, params.m - 1) * params.a_row;
  if (A_PACK == 4) {
    return vec4<f32>(a[(at + min(k, params.k - 4)) / 4]);
  }
  var terms: vec4<f32>;
  for (var i = 0u; i < 4; i++) {
    // vec4(…).x is the value itself for the type that a pack has here; the other has returned above.
    terms[i] = vec4<f32>(a[at + min(k + i, params.k - 1) * params.a_column]).x;
  }
  return terms;
}

fn load(thread: u32, row0: u32, column0: u32, k0: u32) -> Copied {
  var copied: Copied;
  for (var i = 0u; i < A_LOADS; i++) {
    let place = a_place(thread, i);
    copied.a[i] = load_a(row0 + place.x, k0 + 4 * place.y);
  }
  let columns = params.n / PACK;
  let column = min(column0 + thread % TILE_PACKS, columns - 1);
  for (var i = 0u; i < B_LOADS; i++) {
    let k = k0 + (thread + i * THREADS) / TILE_PACKS;
    copied.b[i] = b[min(k, params.k - 1) * columns + column];
  }
  return copied;
}

// Puts what was loaded into the tiles, that of B with zeros from `end` on, for which it does not matter what A has there:
// only now, since to clear is to wait for the loads.
fn store(thread: u32, copied: Copied, k0: u32, end: u32) {
  for (var i = 0u; i < A_LOADS; i++) {
    let place = a_place(thread, i);
    tile_a[place.x * A_PITCH + place.y] = copied.a[i];
  }
  for (var i = 0u; i < B_LOADS; i++) {
    let at = thread + i * THREADS;
    tile_b[at] = select(pack(), copied.b[i], k0 + at / TILE_PACKS < end);
  }
}

// Adds the products of the tiles to the sums of the thread (x, y).
fn multiply(x: u32, y: u32, sums: ptr<function, array<array<pack, PACKS>, ROWS>>) {
  for (var k = 0u; k < K_PACKS; k++) {
    var b_k: array<array<pack, PACKS>, 4>;
    for (var i = 0u; i < 4; i++) {
      for (var p = 0u; p < PACKS; p++) {
        b_k[i][p] = tile_b[(4 * k + i) * TILE_PACKS + p * THREADS_X + x];
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      let a_k = tile_a[(r * THREADS_Y + y) * A_PITCH + k];
      for (var p = 0u; p < PACKS; p++) {
        var sum = fma(pack(a_k.x), b_k[0][p], (*sums)[r][p]);
        sum = fma(pack(a_k.y), b_k[1][p], sum);
        sum = fma(pack(a_k.z), b_k[2][p], sum);
        (*sums)[r][p] = fma(pack(a_k.w), b_k[3][p], sum);
      }
    }
  }
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = params.n / PACK;
  let split = group.z % params.splits;
  let row0 = params.first + (group.z / params.splits * groups.y + group.y) * TILE_ROWS;
  let column0 = group.x * TILE_PACKS;
  let blocks = (params.k + BLOCK - 1) / BLOCK;
  let share = (blocks + params.splits - 1) / params.splits * BLOCK;
  let begin = split * share;
  let end = min(begin + share, params.k);

  var totals: array<array<pack, PACKS>, ROWS>;
  var sums: array<array<pack, PACKS>, ROWS>;
  store(thread, load(thread, row0, column0, begin), begin, end);
  workgroupBarrier();
  for (var k0 = begin + TILE_K; k0 < end + TILE_K; k0 += TILE_K) {
    let next = load(thread, row0, column0, k0); // on its way during the multiplication; not used the last time
    multiply(local.x, local.y, &sums);
    workgroupBarrier();
    store(thread, next, k0, end);
    if (k0 % BLOCK == 0 || k0 >= end) {
      for (var r = 0u; r < ROWS; r++) {
        for (var p = 0u; p < PACKS; p++) {
          totals[r][p] += sums[r][p];
          sums[r][p] = pack();
        }
      }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < ROWS; r++) {
    let row = row0 + r * THREADS_Y + local.y;
    for (var p = 0u; p < PACKS; p++) {
      let column = column0 + p * THREADS_X + local.x;
      if (row < params.first + params.count && column < columns) {
        c[(split * params.m + row) * columns + column] = totals[r][p];
      }
    }
  }
}
