// y [columns, rows] = xᵀ for x [rows, columns]. A thread moves a 4 × 4 block, so that both its reads and its
// writes touch whole cache lines together with its neighbours'.

const GROUP: u32 = 8;
const BLOCK: u32 = 4;

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(GROUP, GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row0 = id.y * BLOCK;
  let column0 = id.x * BLOCK;
  for (var j = 0u; j < BLOCK; j++) {
    for (var i = 0u; i < BLOCK; i++) {
      let row = row0 + i;
      let column = column0 + j;
      if (row < params.rows && column < params.columns) {
        y[column * params.rows + row] = x[row * params.columns + column];
      }
    }
  }
}
