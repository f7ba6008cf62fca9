// d_tokens[v] = scale · Σ de[b, prefix + s] over all b, s with inputs[b, s] = v: the gradient of input_embedding.wgsl
// with respect to its token table. A thread owns one pack of one table row and walks along all inputs, so there
// are no atomics and the order of the sum is fixed; the vocabularies are small.

alias pack = vec4<f32>; // as wide as dim allows
const PACK: u32 = 4;
const GROUP: u32 = 64;

struct Params { batch: u32, inputs_len: u32, prefix: u32, dim: u32, vocab: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> inputs: array<i32>;
@group(0) @binding(2) var<storage, read> de: array<pack>;
@group(0) @binding(3) var<storage, read_write> d_tokens: array<pack>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.y * groups.x * GROUP + id.x;
  let packs = params.dim / PACK;
  if (i >= params.vocab * packs) {
    return;
  }
  let value = i32(i / packs);
  let column = i % packs;
  var sum = pack(0);
  for (var row = 0u; row < params.batch; row++) {
    for (var s = 0u; s < params.inputs_len; s++) {
      if (inputs[row * params.inputs_len + s] == value) {
        sum += de[(row * (params.prefix + params.inputs_len) + params.prefix + s) * packs + column];
      }
    }
  }
  d_tokens[i] = params.scale * sum;
}
