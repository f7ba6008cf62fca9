// Gradient of swiglu.wgsl: with s = sigmoid(gate), d_gate = dy·up·s·(1 + gate·(1 − s)), d_up = dy·gate·s.

alias pack = vec4<f32>; // as wide as `width` allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { rows: u32, width: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gate_up: array<pack>;
@group(0) @binding(2) var<storage, read> dy: array<pack>;
@group(0) @binding(3) var<storage, read_write> d_gate_up: array<pack>;

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
  let odds = exp(min(-gate, pack(80)));
  let sigmoid = 1 / (1 + odds);
  // 1 − sigmoid = odds·sigmoid: the difference would lose what sigmoid rounded, times a large gate.
  d_gate_up[first] = dy[i] * up * sigmoid * (1 + gate * odds * sigmoid);
  d_gate_up[first + width] = dy[i] * gate * sigmoid;
}
