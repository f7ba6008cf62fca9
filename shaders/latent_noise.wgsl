// z[row, i] += sigma·ε, ε ~ N(0, 1): a guess's noise before each of its segments but the first, and none for guess 0, which
// is the puzzle as given. Counter-based: elements 4b … 4b + 3 take the words of the Philox4x32-10 block with the counter
// (b, segment, guess, stream) under the key (key0, key1), so a guess has the same noise in whatever row and batch.
//
// halted[row] says that the row begins anew; else steps[row] counts the segments that it has behind it.
// ε = √2·erf⁻¹(x), x = (2k + 1)·2⁻²³ − 1 for the upper 23 bits k of a word: symmetric, within ±5.3, never infinite. erf⁻¹ by two
// polynomials: Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2010.
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the same function as core/src/random.ts.

const GROUP: u32 = 64;

struct Params { batch: u32, length: u32, sigma: f32, key0: u32, key1: u32, stream: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> guess: array<u32>; // [batch]
@group(0) @binding(2) var<storage, read> steps: array<u32>; // [batch]
@group(0) @binding(3) var<storage, read> halted: array<u32>; // [batch]
@group(0) @binding(4) var<storage, read_write> z: array<f32>; // [batch, length]

/// High 32 bits of a·b: WGSL has no 64-bit integers.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffff;
  let a_high = a >> 16;
  let b_low = b & 0xffff;
  let b_high = b >> 16;
  let cross = a_high * b_low + ((a_low * b_low) >> 16);
  let middle = a_low * b_high + (cross & 0xffff);
  return a_high * b_high + (cross >> 16) + (middle >> 16);
}

fn philox(counter: vec4<u32>, key0: u32, key1: u32) -> vec4<u32> {
  var c = counter;
  var k = vec2(key0, key1);
  for (var round = 0u; round < 10; round++) {
    c = vec4(
      multiply_high(0xcd9e8d57, c.z) ^ c.y ^ k.x,
      0xcd9e8d57 * c.z,
      multiply_high(0xd2511f53, c.x) ^ c.w ^ k.y,
      0xd2511f53 * c.x,
    );
    k += vec2(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

fn normal(word: u32) -> f32 {
  // By a whole number, which is exact.
  let x = f32(i32(2 * (word >> 9) + 1) - (1 << 23)) * 0x1p-23;
  let w = -log((1 - x) * (1 + x));
  var p: f32;
  if (w < 5) {
    let t = w - 2.5;
    p = 2.81022636e-8;
    p = 3.43273939e-7 + p * t;
    p = -3.5233877e-6 + p * t;
    p = -4.39150654e-6 + p * t;
    p = 2.1858087e-4 + p * t;
    p = -1.25372503e-3 + p * t;
    p = -4.17768164e-3 + p * t;
    p = 0.246640727 + p * t;
    p = 1.50140941 + p * t;
  } else {
    let t = sqrt(w) - 3;
    p = -2.00214257e-4;
    p = 1.00950558e-4 + p * t;
    p = 1.34934322e-3 + p * t;
    p = -3.67342844e-3 + p * t;
    p = 5.73950773e-3 + p * t;
    p = -7.6224613e-3 + p * t;
    p = 9.43887047e-3 + p * t;
    p = 1.00167406 + p * t;
    p = 2.83297682 + p * t;
  }
  return 1.41421356 * p * x;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let blocks = (params.length + 3) / 4;
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * blocks) {
    return;
  }
  let row = i / blocks;
  let block = i % blocks;
  if (guess[row] == 0 || halted[row] != 0) {
    return;
  }
  let words = philox(vec4(block, steps[row], guess[row], params.stream), params.key0, params.key1);
  let first = 4 * block;
  for (var j = 0u; j < min(4, params.length - first); j++) {
    z[row * params.length + first + j] += params.sigma * normal(words[j]);
  }
}
