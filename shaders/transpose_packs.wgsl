// y [columns, rows] = xᵀ for x [rows, columns], both multiples of four: transpose.wgsl, but a thread moves its 4 × 4 block
// as four packs in and four packs out.

const GROUP: u32 = 8;

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(GROUP, GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let rows = params.rows / 4;
  let columns = params.columns / 4;
  if (id.x >= columns || id.y >= rows) {
    return;
  }
  let first = 4 * id.y * columns + id.x;
  let block = transpose(mat4x4<f32>(x[first], x[first + columns], x[first + 2 * columns], x[first + 3 * columns]));
  let to = 4 * id.x * rows + id.y;
  y[to] = block[0];
  y[to + rows] = block[1];
  y[to + 2 * rows] = block[2];
  y[to + 3 * rows] = block[3];
}
