// y[i] = x[first + i] for i < length, and 0 where x, of `available` elements, has no such element: a slice of whole rows,
// and, from a negative `first` on, the gradient of one. Elements are copied bit by bit, whatever their type.

const GROUP: u32 = 64;

struct Params { length: u32, available: u32, first: i32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.length) {
    return;
  }
  let at = i + u32(params.first); // wraps, to a large number, before the first element
  if (at < params.available) {
    y[i] = x[at];
  } else {
    y[i] = 0;
  }
}
