// The first x[i] of each kind that is not finite: found[3·slot + kind] = max(found[3·slot + kind], length − i), where kind is 0
// for a NaN, 1 for infinity and 2 for −infinity. 0 says that there is none, and a maximum is the first of several.
//
// By the bits: compilers may take `x != x` for false, and 0·x for 0.

const GROUP: u32 = 64;

const EXPONENT: u32 = 0x7f800000u;
const FRACTION: u32 = 0x007fffffu;

struct Params { length: u32, slot: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> found: array<atomic<u32>>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length) {
    return;
  }
  let bits = x[i];
  if ((bits & EXPONENT) == EXPONENT) {
    let infinite = (bits & FRACTION) == 0u;
    let kind = select(0u, 1u + (bits >> 31u), infinite);
    atomicMax(&found[3u * params.slot + kind], params.length - i);
  }
}
