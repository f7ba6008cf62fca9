import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DType } from '../../../src/formats/dtype.ts';
import { writeFileAtomic } from '../../../src/formats/files/atomic-write.node.ts';
import { bytesSource } from '../../../src/formats/files/byte-source.ts';
import { streamSafetensors } from '../../../src/formats/safetensors.ts';
import type { StoredTensor } from '../../../src/formats/tensor-file.ts';
import { openTorchCheckpoint } from '../../../src/formats/torch/torch-checkpoint.ts';
import { encodeTorchCheckpoint, PUBLISHED_PREFIX } from '../../../src/formats/torch/torch-export.ts';
import { gather } from '../build.ts';
import { fixtureBytes, userError } from '../fixtures.ts';

function stored(dtype: DType, shape: number[], data: ArrayBufferView): StoredTensor {
  async function* pieces() {
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return { dtype, shape, pieces };
}

/** One tensor of every type that PyTorch's checkpoints have. */
const every = new Map<string, StoredTensor>([
  ['f64', stored('F64', [2, 1], Float64Array.of(1 / 3, -0))],
  ['f32', stored('F32', [2, 3], Float32Array.of(0, 1.5, -2, 3e38, 1e-45, 7))],
  ['f16', stored('F16', [3], Uint16Array.of(0x3c00, 0x0001, 0xfbff))],
  ['bf16', stored('BF16', [2], Uint16Array.of(0x3f80, 0xc2f7))],
  ['i64', stored('I64', [1], BigInt64Array.of(-(2n ** 53n) - 1n))],
  ['i32', stored('I32', [], Int32Array.of(-5))],
  ['i16', stored('I16', [1], Int16Array.of(-300))],
  ['i8', stored('I8', [1], Int8Array.of(-7))],
  ['u8', stored('U8', [2], Uint8Array.of(0, 255))],
  ['bool', stored('BOOL', [2], Uint8Array.of(0, 1))],
  ['empty', stored('F32', [0, 4], new Float32Array())],
]);

describe('encodeTorchCheckpoint', () => {
  it('writes what openTorchCheckpoint reads', async () => {
    const file = await openTorchCheckpoint(
      bytesSource(await gather(encodeTorchCheckpoint(every)), 'exported'),
    );
    expect(file.names).toEqual([...every.keys()]);
    for (const [name, { dtype, shape, pieces }] of every) {
      expect(file.info(name)).toEqual({ dtype, shape });
      const data = await file.read(name);
      expect(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).toEqual(await gather(pieces()));
    }
  });

  it('refuses types that PyTorch does not have, by name', async () => {
    const tensors = new Map([['carry.steps', stored('U32', [1], Uint32Array.of(1))]]);
    const { message } = await userError(() => gather(encodeTorchCheckpoint(tensors)));
    expect(message).toMatch(/"carry\.steps" is of type U32.*safetensors/);
  });
});

const PYTHONS = ['python3', '/usr/bin/python3'];
const python = PYTHONS.find((name) => spawnSync(name, ['-c', 'import torch']).status === 0);
const SKIPPED =
  'skipped: torch.load of an exported file, because no python3 here can import torch (Debian: apt-get install python3-torch)';
if (!python) console.warn(SKIPPED);

/** Compares a checkpoint with a raw dump of the same tensors, without a line of this project's code. */
const COMPARE = `
import json, sys, zipfile
import torch
path, dump, prefix = sys.argv[1:]
state = torch.load(path, weights_only=True)
dtypes = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16, I64=torch.int64,
              I32=torch.int32, I16=torch.int16, I8=torch.int8, U8=torch.uint8, BOOL=torch.bool)
raw = open(dump, 'rb').read()
length = int.from_bytes(raw[:8], 'little')
header = json.loads(raw[8:8 + length])
assert set(state) == {prefix + name for name in header}, sorted(state)
for name, entry in header.items():
    tensor = state[prefix + name]
    begin, end = entry['data_offsets']
    assert tensor.dtype == dtypes[entry['dtype']], (name, tensor.dtype)
    assert list(tensor.shape) == entry['shape'], (name, tensor.shape)
    assert tensor.is_contiguous() and not tensor.requires_grad, name
    expected = bytearray(raw[8 + length + begin:8 + length + end])
    if expected:
        bits = tensor.reshape(-1).view(torch.uint8)
        assert torch.equal(bits, torch.frombuffer(expected, dtype=torch.uint8)), name
assert zipfile.ZipFile(path).testzip() is None
print(len(header), 'equal')
`;

describe.skipIf(!python)('torch.load(weights_only=True)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-torch-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function compare(tensors: ReadonlyMap<string, StoredTensor>): Promise<string> {
    const [path, dump] = [join(folder, 'checkpoint'), join(folder, 'dump.safetensors')];
    await writeFileAtomic(path, encodeTorchCheckpoint(tensors));
    await writeFileAtomic(dump, streamSafetensors(tensors));
    const args = ['-c', COMPARE, path, dump, PUBLISHED_PREFIX];
    const { stdout, stderr } = spawnSync(python as string, args, { encoding: 'utf8' });
    return stdout + stderr;
  }

  it('reads every type', async () => {
    expect(await compare(every)).toBe('11 equal\n');
  });

  it('reads a trained model', async () => {
    const file = await openTorchCheckpoint(bytesSource(fixtureBytes('trained-6x6/checkpoint'), 'trained'));
    const tensors = new Map<string, StoredTensor>();
    for (const name of file.names) {
      const { dtype, shape } = file.info(name);
      tensors.set(name, stored(dtype, [...shape], await file.read(name)));
    }
    expect(await compare(tensors)).toBe(`${file.names.length} equal\n`);
  });
});
