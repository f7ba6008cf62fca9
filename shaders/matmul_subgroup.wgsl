enable subgroups;

// C = A·B for A [m, k], B [k, n], C [m, n]; B and C row-major, A by two strides, as in matmul.wgsl.
//
// A register tile of 16 rows × one pack a thread, like there, but the threads of a subgroup, which share their rows,
// load A together: each of 8 lanes reads one value of A and all get it by broadcast. Per step of k that is two loads
// for A instead of sixteen. Needs subgroups of at least 8 lanes.

alias pack = vec4<f32>; // as wide as n allows: vec4<f32>, vec2<f32> or f32
const PACK: u32 = 4;
const GROUP: u32 = 16; // tune: 8 16 32 64

const BLOCK: u32 = 32; // terms of k summed by themselves, so that rounding errors grow with √BLOCK + √(k/BLOCK)
const ROWS: u32 = 16;
const LANES: u32 = 8;

const_assert GROUP % LANES == 0u;

struct Params { m: u32, n: u32, k: u32, a_row: u32, a_column: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<pack>;
@group(0) @binding(3) var<storage, read_write> c: array<pack>;

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let columns = params.n / PACK;
  let row0 = (group.z * groups.y + group.y) * ROWS;
  let column = group.x * GROUP + local.x;

  // Rows and columns past the edge repeat the last one and are not stored: every lane must take part in broadcasts.
  var low_at = min(row0 + lane % LANES, params.m - 1) * params.a_row;
  var high_at = min(row0 + LANES + lane % LANES, params.m - 1) * params.a_row;
  var b_at = min(column, columns - 1);

  var totals: array<pack, ROWS>;
  for (var k0 = 0u; k0 < params.k; k0 += BLOCK) {
    // Written out: some compilers do not clear a variable again each time round a loop.
    var sums = array<pack, ROWS>();
    for (var k = k0; k < min(k0 + BLOCK, params.k); k++) {
      let low = a[low_at];
      let high = a[high_at];
      let b_k = b[b_at];
      let a_k = array<f32, ROWS>(
        subgroupBroadcast(low, 0u), subgroupBroadcast(low, 1u), subgroupBroadcast(low, 2u), subgroupBroadcast(low, 3u),
        subgroupBroadcast(low, 4u), subgroupBroadcast(low, 5u), subgroupBroadcast(low, 6u), subgroupBroadcast(low, 7u),
        subgroupBroadcast(high, 0u), subgroupBroadcast(high, 1u), subgroupBroadcast(high, 2u), subgroupBroadcast(high, 3u),
        subgroupBroadcast(high, 4u), subgroupBroadcast(high, 5u), subgroupBroadcast(high, 6u), subgroupBroadcast(high, 7u),
      );
      for (var r = 0u; r < ROWS; r++) {
        sums[r] = fma(pack(a_k[r]), b_k, sums[r]);
      }
      b_at += columns;
      low_at += params.a_column;
      high_at += params.a_column;
    }

    for (var r = 0u; r < ROWS; r++) {
      totals[r] += sums[r];
    }
  }

  for (var r = 0u; r < ROWS; r++) {
    let row = row0 + r;
    if (row < params.m && column < columns) {
      c[row * columns + column] = totals[r];
    }
  }
}
