enable subgroups;

// C = A·B for A [m, k], B [k, n], C [m, n]; B and C row-major, A by two strides, as in matmul.wgsl.
//
// A register tile of 24 rows × PACKS packs a thread, like there, but the threads of a subgroup, which share their rows,
// load A together: each of 8 lanes reads one value of A and all get it by broadcast. Per term of k that is three loads
// for A instead of 24. Terms are taken two at a time, so that sums are fetched and put back half as often. Needs
// subgroups of at least 8 lanes.

alias pack = vec4<f32>; // as wide as n allows: vec4<f32>, vec2<f32> or f32
const PACK: u32 = 4;
const PACKS: u32 = 2; // tune: 1 2
const GROUP: u32 = 16; // tune: 8 16 32 64

const BLOCK: u32 = 32; // terms of k summed by themselves, so that rounding errors grow with √BLOCK + √(k/BLOCK)
const LANES: u32 = 8;
const SHARES: u32 = 3; // rows of A that a lane loads
const ROWS: u32 = SHARES * LANES;

const_assert GROUP % LANES == 0u;

// A launch computes `count` rows of C from the `first` on.
struct Params { m: u32, n: u32, k: u32, a_row: u32, a_column: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<pack>;
@group(0) @binding(3) var<storage, read_write> c: array<pack>;

/// What lanes 0 to 7 hold, a row of A each, for all lanes. Lane numbers must be constants.
fn gather(share: f32) -> array<f32, LANES> {
  return array<f32, LANES>(
    subgroupBroadcast(share, 0u), subgroupBroadcast(share, 1u), subgroupBroadcast(share, 2u), subgroupBroadcast(share, 3u),
    subgroupBroadcast(share, 4u), subgroupBroadcast(share, 5u), subgroupBroadcast(share, 6u), subgroupBroadcast(share, 7u),
  );
}

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let columns = params.n / PACK;
  // Workgroups that follow each other share their columns of B, which stay in the cache: up to 1.5 times as fast as the
  // other way round, where all of B passes by for every tile.
  let row0 = params.first + (group.z * groups.x + group.x) * ROWS;
  let end = params.first + params.count;
  let column0 = group.y * GROUP * PACKS + local.x; // and every GROUP-th from there

  // Rows and columns past the edge repeat the last one and are not stored: every lane must take part in broadcasts.
  var a_at: array<u32, SHARES>;
  for (var s = 0u; s < SHARES; s++) {
    a_at[s] = min(row0 + s * LANES + lane % LANES, params.m - 1) * params.a_row;
  }
  var b_at: array<u32, PACKS>;
  for (var p = 0u; p < PACKS; p++) {
    b_at[p] = min(column0 + p * GROUP, columns - 1);
  }

  var totals: array<array<pack, PACKS>, ROWS>;
  for (var k0 = 0u; k0 < params.k; k0 += BLOCK) {
    // Written out: some compilers do not clear a variable again each time round a loop.
    var sums = array<array<pack, PACKS>, ROWS>();
    for (var k = k0; k < min(k0 + BLOCK, params.k); k += 2) {
      // For an odd k the last second term is zero times the first one's row of B.
      let pair = k + 1 < params.k;
      let next = select(0, columns, pair);
      let a_next = select(0, params.a_column, pair);
      var a_0: array<f32, SHARES>;
      var a_1: array<f32, SHARES>;
      for (var s = 0u; s < SHARES; s++) {
        a_0[s] = a[a_at[s]];
        a_1[s] = select(0.0, a[a_at[s] + a_next], pair);
        a_at[s] += 2 * params.a_column;
      }
      var b_0: array<pack, PACKS>;
      var b_1: array<pack, PACKS>;
      for (var p = 0u; p < PACKS; p++) {
        b_0[p] = b[b_at[p]];
        b_1[p] = b[b_at[p] + next];
        b_at[p] += 2 * columns;
      }
      for (var s = 0u; s < SHARES; s++) {
        let first = gather(a_0[s]);
        let second = gather(a_1[s]);
        for (var j = 0u; j < LANES; j++) {
          let r = s * LANES + j;
          for (var p = 0u; p < PACKS; p++) {
            sums[r][p] = fma(pack(second[j]), b_1[p], fma(pack(first[j]), b_0[p], sums[r][p]));
          }
        }
      }
    }

    for (var r = 0u; r < ROWS; r++) {
      for (var p = 0u; p < PACKS; p++) {
        totals[r][p] += sums[r][p];
      }
    }
  }

  // ROWS, but compilers do not know it: unrolled, 192 stores take a software adapter a second to compile.
  let rows = select(ROWS, 0, params.k == 0);
  for (var r = 0u; r < rows; r++) {
    let row = row0 + r;
    for (var p = 0u; p < PACKS; p++) {
      let column = column0 + p * GROUP;
      if (row < end && column < columns) {
        c[row * columns + column] = totals[r][p];
      }
    }
  }
}
