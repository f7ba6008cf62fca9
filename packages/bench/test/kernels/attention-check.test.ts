import { backward, type Device, openDevice, Philox, Tensor } from '@hrm-webgpu/core';
import { attention, gradientRules } from '@hrm-webgpu/kernels';
import { type BuiltinErrors, builtinErrorsOf } from '@hrm-webgpu/kernels/checks';
import { attentionInputs } from '@hrm-webgpu/kernels/defs/attention';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttentionArrays, checkAttention } from '../../src/kernels/attention-check.ts';

const PARAMS = { batch: 2, seq_len: 7, heads: 3, head_dim: 8 };
const WIDTH = 24;
let device: Device;
let arrays: AttentionArrays;
let errors: BuiltinErrors;
beforeAll(async () => {
  device = await openDevice();
  errors = await builtinErrorsOf(device);
  const { batch, seq_len, heads } = PARAMS;
  const random = new Philox(1);
  const qkv = Tensor.from(device, attentionInputs(PARAMS, random), [batch, seq_len, 3 * WIDTH], true);
  const d_o = Float32Array.from({ length: batch * seq_len * WIDTH }, () => random.uniform() - 0.5);
  const o = attention(qkv, heads);
  const roots = [{ of: o, gradient: Tensor.from(device, d_o, o.shape) }];
  const d_qkv = backward(device, roots, gradientRules).get(qkv) as Tensor;
  const [q, output, gradient] = [await qkv.readF32(), await o.readF32(), await d_qkv.readF32()];
  arrays = { qkv: q, d_o, o: output, d_qkv: gradient };
});
afterAll(() => device.close());

describe('checkAttention', () => {
  it('lets right results pass', () => checkAttention('attention', PARAMS, arrays, errors));

  /** Element `at`, from the end where negative, changed by a thousandth of the largest. */
  const spoilt = (array: AttentionArrays['o'], at: number) => {
    const copy = Float32Array.from(array);
    copy[at < 0 ? copy.length + at : at] += 1e-3 * copy.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    return copy;
  };
  it.each([
    ['o', 0, /o of head 0: 1 of \d+ wrong, all of .*worst \[0\]: /],
    ['o', -1, /o of head 2: 1 of \d+ wrong, all of .*worst \[55\]: /],
    ['d_qkv', 8 * 6, /d_qkv of head 0: 1 of \d+ wrong, all of .*worst \[16\]: /], // the first v
    ['d_qkv', -1, /d_qkv of head 2: 1 of \d+ wrong, all of .*worst \[167\]: /],
  ] as const)('finds a wrong %s[%d]', (name, at, message) => {
    expect(() =>
      checkAttention('attention', PARAMS, { ...arrays, [name]: spoilt(arrays[name], at) }, errors),
    ).toThrow(message);
  });
});
