// A microbenchmark: how many fused multiply-adds a second the adapter can do.
//
// Each thread runs CHAINS recurrences x ← a·x + b side by side and writes the sum of their ends, y [length]; an element
// of y takes `fmas` multiply-adds, a multiple of CHAINS·UNROLL. A step waits for the one before in its own chain only,
// so that enough chains hide the latency. a and b are parameters, which no compiler knows: it can neither leave a step
// out nor replace the loop by a formula. For 0 < a < 1 a chain tends to b/(1 − a): it neither overflows nor becomes
// denormal, and forgets its rounding errors.

alias pack = vec4<f32>; // tune: f32 vec4<f32>
const PACK: u32 = 4;
const CHAINS: u32 = 4; // tune: 2 4 6 8 16 24 32
const GROUP: u32 = 64; // tune: 64 256

const UNROLL: u32 = 8; // steps of every chain each time round the loop, so that the loop itself costs little

struct Params { length: u32, fmas: u32, a: f32, b: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> starts: array<pack>;
@group(0) @binding(2) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length / PACK) {
    return;
  }
  let a = pack(params.a);
  let b = pack(params.b);
  // All chains start elsewhere, and in each thread: no two of them could be computed as one.
  var x: array<pack, CHAINS>;
  for (var c = 0u; c < CHAINS; c++) {
    x[c] = starts[c] + pack(f32(i % 64));
  }
  for (var done = 0u; done < params.fmas; done += CHAINS * UNROLL) {
    for (var u = 0u; u < UNROLL; u++) {
      for (var c = 0u; c < CHAINS; c++) {
        x[c] = fma(x[c], a, b);
      }
    }
  }
  var sum = pack();
  for (var c = 0u; c < CHAINS; c++) {
    sum += x[c];
  }
  y[i] = sum;
}
