// e = scale · concat(puzzle rows, token rows) (+ position rows): the input that HRM injects at every fast step.
//   e[b, t] = scale · (t < prefix ? puzzle[b] from t·dim, zero past its end : tokens[inputs[b, t − prefix]])
//             + position_scale · positions[t]
// tokens [vocab, dim], puzzle [batch, puzzle_dim] (gather_rows.wgsl), positions [prefix + inputs_len, dim] → e [batch, …, dim].
// Absent parts: prefix 0 reads no puzzle row, position_scale 0 no position row (their buffers are then dummies).

alias pack = vec4<f32>; // vec4<f32> or vec2<f32>
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params {
  batch: u32, inputs_len: u32, prefix: u32, dim: u32, puzzle_dim: u32, scale: f32, position_scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> inputs: array<i32>;
@group(0) @binding(2) var<storage, read> tokens: array<pack>;
@group(0) @binding(3) var<storage, read> puzzle: array<f32>;
@group(0) @binding(4) var<storage, read> positions: array<pack>;
@group(0) @binding(5) var<storage, read_write> e: array<pack>;

fn puzzle_pack(row: u32, at: u32) -> pack {
  var value = pack(0);
  for (var i = 0u; i < PACK; i++) {
    if (at + i < params.puzzle_dim) {
      value[i] = puzzle[row * params.puzzle_dim + at + i];
    }
  }
  return value;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let seq_len = params.prefix + params.inputs_len;
  let packs = params.dim / PACK;
  if (i >= params.batch * seq_len * packs) {
    return;
  }
  let column = i % packs;
  let token = (i / packs) % seq_len;
  let row = i / (packs * seq_len);
  var value: pack;
  if (token < params.prefix) {
    value = puzzle_pack(row, (token * packs + column) * PACK);
  } else {
    value = tokens[u32(inputs[row * params.inputs_len + token - params.prefix]) * packs + column];
  }
  value *= params.scale;
  if (params.position_scale != 0) {
    value += params.position_scale * positions[token * packs + column];
  }
  e[i] = value;
}
