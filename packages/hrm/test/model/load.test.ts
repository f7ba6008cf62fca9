/** Loading checkpoints: in pieces, and without their puzzle rows. */
import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModelFile } from '../../src/checkpoints/model-file.node.ts';
import { fileSource } from '../../src/formats/files/file-source.node.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import type { TensorFile } from '../../src/formats/tensor-file.ts';
import { DEFAULT_ARCH, type ModelConfig } from '../../src/model/config.ts';
import { loadModel } from '../../src/model/load.ts';
import { parameterShapes } from '../../src/model/parameters.ts';
import { ruleWeight } from '../../src/parity/rule-weights.ts';
import { fixturePath, userError } from '../formats/fixtures.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

/** A file of weights made by rule, in pieces of 1000 elements. */
function ruleFile(config: ModelConfig): TensorFile {
  const shapes = parameterShapes(config);
  return {
    name: 'rule',
    format: 'PyTorch',
    names: [...shapes.keys()],
    metadata: {},
    info: (name) => ({ dtype: 'F32', shape: shapes.get(name) as number[] }),
    async *piecesF32(name) {
      const values = ruleWeight(name, shapes.get(name) as number[]);
      for (let at = 0; at < values.length; at += 1000) yield values.slice(at, at + 1000);
    },
    read: () => expect.unreachable('loading reads pieces'),
    readF32: () => expect.unreachable('loading reads pieces'),
    pieces: () => expect.unreachable('loading converts to f32'),
    close: async () => {},
  };
}

const config: ModelConfig = {
  ...DEFAULT_ARCH,
  ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 2, puzzle_emb_ndim: 32 },
  ...{ vocab_size: 7, seq_len: 6, num_puzzle_identifiers: 300 },
};

describe('loadModel', () => {
  it('puts every piece in its place', async () => {
    const model = await loadModel(device, config, ruleFile(config));
    for (const [name, shape] of parameterShapes(config)) {
      expect(await model.weight(name).read(), name).toEqual(ruleWeight(name, shape));
    }
    model.dispose();
  });

  it('leaves the puzzle rows out if told so, and only them', async () => {
    const file = ruleFile(config);
    const asked: string[] = [];
    const watched: TensorFile = {
      ...file,
      piecesF32: (name) => {
        asked.push(name);
        return file.piecesF32(name);
      },
    };
    const model = await loadModel(device, config, watched, { trunkOnly: true });
    expect(asked).toEqual(file.names.filter((name) => name !== 'puzzle_emb.weights'));
    expect(model.config).toEqual({ ...config, num_puzzle_identifiers: 1 });
    expect(await model.weight('puzzle_emb.weights').read()).toEqual(new Float32Array(32));
    model.dispose();
  });

  it('gives everything back where a tensor has the wrong shape, or pieces are missing', async () => {
    const file = ruleFile(config);
    const other = { ...config, vocab_size: 8 };
    const { message } = await userError(() => loadModel(device, other, file));
    expect(message).toMatch(/'embed_tokens\.embedding_weight' has shape \[7, 32\].*asks for \[8, 32\]/);
    const short: TensorFile = {
      ...file,
      async *piecesF32() {
        yield new Float32Array(5);
      },
    };
    expect((await userError(() => loadModel(device, config, short))).message).toMatch(/224 elements, got 5/);
    expect(device.tensors.size).toBe(0);
  });
});

describe('loadModelFile', () => {
  it('loads a published checkpoint whole or as a trunk', async () => {
    for (const trunkOnly of [false, true]) {
      const model = await loadModelFile(device, fixturePath('trained-6x6'), 36, { trunkOnly });
      const file = await openTensorFile(await fileSource(fixturePath('trained-6x6/checkpoint')));
      for (const name of file.names) {
        const stored = await file.readF32(name);
        const expected =
          trunkOnly && name === 'puzzle_emb.weights' ? new Float32Array(stored.length) : stored;
        // vitest takes seconds to compare half a million numbers itself.
        const bytes = (array: ArrayBufferView) =>
          Buffer.from(array.buffer, array.byteOffset, array.byteLength);
        expect(bytes(await model.weight(name).read()).equals(bytes(expected)), name).toBe(true);
      }
      await file.close();
      model.dispose();
    }
  });
});
