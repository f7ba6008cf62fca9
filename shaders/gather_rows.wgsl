// y[b] = table[identifiers[b] − first], for the b whose row is one of the `count` rows of this table; other rows of y
// stay as they are. A table that no binding holds lies in several, of which each gives its rows.
// identifiers [batch], table [count, width], y [batch, width].

const GROUP: u32 = 64;

struct Params { batch: u32, width: u32, first: u32, count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> identifiers: array<i32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * params.width) {
    return;
  }
  let row = u32(identifiers[i / params.width]) - params.first; // wraps, to a large number, below the first
  if (row < params.count) {
    y[i] = table[row * params.width + i % params.width];
  }
}
