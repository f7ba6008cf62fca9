// y = silu(gate)·up for gate_up [rows, 2·width], gate first; y [rows, width]; silu(g) = g·sigmoid(g).
// SwiGLU: Shazeer, arXiv 2002.05202.

alias pack = vec4<f32>; // as wide as `width` allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate_up: array<pack>;
@group(0) @binding(2) var<storage, read_write> y: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let width = params.width / PACK;
  if (i >= params.rows * width) {
    return;
  }
  let first = (i / width) * 2 * width + i % width;
  let gate = gate_up[first];
  let up = gate_up[first + width];
  // exp(80) is finite in f32: beyond it the sigmoid is 0 to f32's precision anyway.
  y[i] = gate / (1 + exp(min(-gate, pack(80)))) * up;
}
