// A microbenchmark: how many loads a second the adapter can do from storage that its nearest cache holds.
//
// Each thread adds up `loads` (a multiple of UNROLL) packs of x [SPAN·PACK], and writes the sums, y [length]. At every
// step neighbouring threads load neighbouring packs, and each thread one that the compiler cannot foresee.

alias pack = vec4<f32>; // tune: f32 vec4<f32>
const PACK: u32 = 4;
const GROUP: u32 = 64;

const SPAN: u32 = 1024; // packs of x: 4 to 16 KiB
const UNROLL: u32 = 8; // loads under way at a time

struct Params { length: u32, loads: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<pack>;
@group(0) @binding(2) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length / PACK) {
    return;
  }
  var sums: array<pack, UNROLL>;
  for (var done = 0u; done < params.loads; done += UNROLL) {
    for (var u = 0u; u < UNROLL; u++) {
      sums[u] += x[(i + (done + u) * GROUP) % SPAN];
    }
  }
  var sum = pack();
  for (var u = 0u; u < UNROLL; u++) {
    sum += sums[u];
  }
  y[i] = sum;
}
