// Where chosen[row]: y[row, i] = a[row·a_row + i mod a_period], for y [batch, length], in place, of any 4-byte type.
// With a_row = a_period = length it replaces rows (new data for halted rows); with a_row = 0 and a smaller a_period it
// broadcasts a vector (the initial state of a carry).

const GROUP: u32 = 64;

struct Params { batch: u32, length: u32, a_row: u32, a_period: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> chosen: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i >= params.batch * params.length) {
    return;
  }
  let row = i / params.length;
  if (chosen[row] != 0) {
    y[i] = a[row * params.a_row + (i % params.length) % params.a_period];
  }
}
