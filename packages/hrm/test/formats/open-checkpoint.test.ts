import { describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import { encodeSafetensors } from '../../src/formats/safetensors.ts';
import { buildCheckpoint, gather, pickle } from './build.ts';
import { fixtureBytes, userError } from './fixtures.ts';

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe('openTensorFile', () => {
  it('opens both formats', async () => {
    const checkpoint = await openTensorFile(bytesSource(fixtureBytes('tiny-rope/checkpoint'), 'c'));
    const tensors = await openTensorFile(bytesSource(fixtureBytes('tiny-rope/eval.safetensors'), 's'));
    expect(checkpoint.names).toContain('H_init');
    expect(tensors.names).toContain('eval.0.z_H');
  });

  it('refuses a Tiny Recursive Model in either format', async () => {
    const names = ['model.inner.L_level.layers.0.mlp.down_proj.weight', 'model.inner.lm_head.weight'];
    const data = Float32Array.of(1);
    const tensors = new Map(names.map((name) => [name, { dtype: 'F32' as const, shape: [1], data }]));
    const tensor = pickle.tensor(pickle.storage('FloatStorage', '0', 1), 0, [1], [1]);
    const items = Object.fromEntries(names.map((name) => [name, tensor]));
    for (const file of [
      await gather(encodeSafetensors(tensors)),
      buildCheckpoint(items, { '0': new Uint8Array(data.buffer) }),
    ]) {
      const { message } = await userError(() => openTensorFile(bytesSource(file, 'trm.pt')));
      expect(message).toMatch(
        /^trm\.pt: is a Tiny Recursive Model \(TRM\): it has no H_level\. Expected a checkpoint of HRM\./,
      );
    }
  });

  it.each([
    ['nothing', '', /it is empty/],
    ['a page', '\n<!DOCTYPE html><html>', /a web page .*Download the file itself/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:1', /git lfs pull/],
    ['a legacy torch file', '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', /bare pickle.*torch\.save/],
    ['a legacy torch file of protocol 4', '\x80\x04\x95\0\0', /bare pickle.*torch\.save/],
    ['a gzip file', '\x1f\x8b\x08\0\0\0', /gzip/],
    ['zeros', '\0'.repeat(300), /zeros/],
    ['other bytes', 'Hello', /its first bytes are 48 65 6c 6c 6f\./],
    ['a NumPy file', '\x93NUMPY\x01\0v', /93 4e 55 4d 50 59 01 00/],
    ['a ZIP archive cut short', 'PK\x03\x04', /no end record/],
    ['a safetensors file cut short', '\xff\0\0\0\0\0\0\0{"a', /truncated: its header/],
  ])('refuses %s', async (_, text, message) => {
    let closed = 0;
    const source = { ...bytesSource(bytes(text), 'weights/file'), close: async () => void closed++ };
    const error = await userError(() => openTensorFile(source));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^weights\/file: /);
    expect(closed).toBe(1);
  });
});
