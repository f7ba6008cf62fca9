/** Settings are tried where a kernel can have them: one that a shape excludes would make every mistake look found. */
import { openDevice } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { expect, it } from 'vitest';
import { coveringCases, tryCases } from '../../src/lab/trial/trial.ts';

const check = checks.fill;
/** A tile of 16 has room in packs of 4, which short arrays have, and not in packs of 8. */
const tiled = {
  ...check,
  kernel: {
    ...check.kernel,
    name: 'tiled_fill',
    text: check.kernel.text.replace(
      /const GROUP[^\n]*/,
      'const WIDTH: u32 = 4;\nconst TILE: u32 = 8; // tune: 8 16\nconst GROUP: u32 = 64;\nconst_assert WIDTH * TILE <= 64u;',
    ),
    constants: ({ length }: { length: number }) => ({ WIDTH: length > 1000 ? 8 : 4 }),
  },
};

it('leaves out what a const_assert excludes in a shape alone', async () => {
  const device = await openDevice();
  try {
    const cases = await coveringCases(tiled as never, device);
    expect(cases.map(({ params, constants }) => [params.length, constants.TILE])).toEqual([
      [1, 8],
      [1003, 8],
      [1, 16],
    ]);
    expect(await tryCases(device, tiled as never, cases)).toBeUndefined();
  } finally {
    device.close();
  }
});
