import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, openDevice, Tensor } from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

async function* pieces(...lengths: number[]) {
  let next = 0;
  for (const length of lengths) yield Float32Array.from({ length }, () => next++);
}

describe('writing a part of a tensor', () => {
  it('leaves the rest as it is', async () => {
    const tensor = Tensor.from(device, new Float32Array(6), [2, 3]);
    tensor.writeAt(2, Float32Array.of(7, 8));
    tensor.writeAt(5, Float32Array.of(9));
    expect(await tensor.read()).toEqual(Float32Array.of(0, 0, 7, 8, 0, 9));
    tensor.dispose();
  });

  it.each([
    [5, Float32Array.of(1, 2), /holds 6 elements, got 2 to write at 5/],
    [-1, Float32Array.of(1), /at -1/],
    [0.5, Float32Array.of(1), /at 0\.5/],
    [0, Int32Array.of(1), /takes Float32Array, got Int32Array/],
  ])('refuses %s, %s', (offset, data, message) => {
    const tensor = Tensor.empty(device, [6]);
    expect(() => tensor.writeAt(offset, data)).toThrow(message);
    tensor.dispose();
  });

  it('takes contents in pieces, which must make the whole', async () => {
    const tensor = Tensor.empty(device, [7]);
    await tensor.writePieces(pieces(3, 1, 3));
    expect(await tensor.read()).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5, 6));
    await expect(tensor.writePieces(pieces(3, 3))).rejects.toThrow('holds 7 elements, got 6');
    await expect(tensor.writePieces(pieces(3, 5))).rejects.toThrow('got 5 to write at 3');
    tensor.dispose();
  });
});
