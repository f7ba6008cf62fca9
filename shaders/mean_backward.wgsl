// dx[row, i] = dy[row] / columns for dx [rows, columns]: the gradient of mean.wgsl.

const GROUP: u32 = 64;

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  if (i < params.rows * params.columns) {
    dx[i] = dy[i / params.columns] / f32(params.columns);
  }
}
