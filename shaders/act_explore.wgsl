// What exploration draws for each row of one training call: explore, uniform in [0, 1), and min_steps, uniform in
// {2 .. max_steps} (1 where max_steps is 1). Counter-based: word 0 and 1 of the Philox4x32-10 block with the counter
// (first_row + row, call, stream, 0) under the key (key0, key1), so a resumed run draws what the whole run would have
// drawn, and so do the parts of a batch that is cut into several, part by part.
// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the same function as core/src/random.ts.

const GROUP: u32 = 64;

struct Params { batch: u32, first_row: u32, max_steps: u32, key0: u32, key1: u32, stream: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> call: array<u32>; // [1], the number of this call
@group(0) @binding(2) var<storage, read_write> explore: array<f32>;
@group(0) @binding(3) var<storage, read_write> min_steps: array<u32>;

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

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let row = id.y * groups.x * GROUP + id.x;
  if (row >= params.batch) {
    return;
  }
  let words = philox(vec4(params.first_row + row, call[0], params.stream, 0), params.key0, params.key1);
  explore[row] = f32(words.x >> 8) / 16777216;
  // The modulus favours small numbers by less than max_steps / 2³².
  min_steps[row] = select(1, 2 + words.y % max(params.max_steps - 1, 1), params.max_steps > 1);
}
