// C = A·B for A [m, k], B [k, n], C [m, n]; B and C row-major, A by two strides, so that A may be transposed
// (the weight gradient dyᵀ·x) or a strided selection of rows without being copied.
//
// Register tile without workgroup memory: a thread computes ROWS rows × PACKS packs of columns and walks along k.
// All threads of a workgroup share their rows, so A is read as a scalar that is the same for all of them, and B
// as packs that are neighbours; each load feeds ROWS or PACKS·PACK multiply-adds. Suits adapters where workgroup
// memory and barriers are dear (software adapters). Idea: "register blocking", Goto & van de Geijn, 2008.

alias pack = vec4<f32>; // as wide as n allows: vec4<f32>, vec2<f32> or f32
const PACK: u32 = 4;
// Twice the rows or packs would spill registers on GPUs (npm run bench -- isa).
const ROWS: u32 = 8; // tune: 4 8
const PACKS: u32 = 2; // tune: 1 2
const GROUP: u32 = 16; // tune: 8 16 32 64

const BLOCK: u32 = 32; // terms of k summed by themselves, so that rounding errors grow with √BLOCK + √(k/BLOCK)

// A launch computes `count` rows of C from the `first` on.
struct Params { m: u32, n: u32, k: u32, a_row: u32, a_column: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<pack>;
@group(0) @binding(3) var<storage, read_write> c: array<pack>;

@compute @workgroup_size(GROUP)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let columns = params.n / PACK;
  // Workgroups that follow each other share their columns of B, which stay in the cache.
  let row0 = params.first + (group.z * groups.x + group.x) * ROWS;
  let end = params.first + params.count;
  let column0 = (group.y * GROUP + local.x) * PACKS;
  if (column0 >= columns || row0 >= end) {
    return;
  }

  // Rows and columns past the edge repeat the last one and are not stored.
  var a_at: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    a_at[r] = min(row0 + r, params.m - 1) * params.a_row;
  }
  var b_at: array<u32, PACKS>;
  for (var p = 0u; p < PACKS; p++) {
    b_at[p] = min(column0 + p, columns - 1);
  }

  var totals: array<array<pack, PACKS>, ROWS>;
  for (var k0 = 0u; k0 < params.k; k0 += BLOCK) {
    // Written out: some compilers do not clear a variable again each time round a loop.
    var sums = array<array<pack, PACKS>, ROWS>();
    for (var k = k0; k < min(k0 + BLOCK, params.k); k++) {
      var b_k: array<pack, PACKS>;
      for (var p = 0u; p < PACKS; p++) {
        b_k[p] = b[b_at[p]];
        b_at[p] += columns;
      }
      for (var r = 0u; r < ROWS; r++) {
        let a_k = pack(a[a_at[r]]);
        a_at[r] += params.a_column;
        for (var p = 0u; p < PACKS; p++) {
          sums[r][p] = fma(a_k, b_k[p], sums[r][p]);
        }
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      for (var p = 0u; p < PACKS; p++) {
        totals[r][p] += sums[r][p];
      }
    }
  }

  for (var r = 0u; r < ROWS; r++) {
    let row = row0 + r;
    for (var p = 0u; p < PACKS; p++) {
      if (row < end && column0 + p < columns) {
        c[row * columns + column0 + p] = totals[r][p];
      }
    }
  }
}
