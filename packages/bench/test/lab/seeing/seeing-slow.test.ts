/** What of the lab takes long: it compiles the kernels for GPUs, or times. Part of `npm run slow`. */
import { describe, expect, it } from 'vitest';
import { expectNarrow, inRoot, lab, shaders } from './lab-run.ts';

describe('show', () => {
  it('predicts a bound, in 80 columns', async () => {
    const { code, out } = await lab('show', 'residual_rms_norm', '--no-text');
    expect(code).toBe(0);
    expectNarrow(out);
    expect(out).toMatch(/^bound {6}[\d.]+ µs by memory: [\d.]+ GFLOP\/s and [\d.]+ GB\/s measured/m);
    expect(out).toMatch(/^memory {5}256 bytes of workgroup memory: partial 64 × f32$/m);
    expect(out).toMatch(/^x +1 +read +array<vec4<f32>> +1,343,488$/m);
    expect(out).toMatch(/^polaris10 with +VGPR |^isa {8}not measured: Mesa's RADV driver/m);
  });
});

describe('diff', () => {
  it('of another class of kernels is the same within a rounding', async () => {
    const { code, out } = await lab('diff', 'class=gpu', inRoot('.'), '--forward', '--allow', '1e-4');
    expect(out).toMatch(/^the same: all \d{2,} tensors are within/m);
    expect(code).toBe(0);
  });

  it('names the first launch where the kernels for GPUs round differently, unless that is allowed', async () => {
    const { code, out } = await lab('diff', 'class=software', 'class=gpu', '--json');
    expect(code).toBe(1);
    const { first } = JSON.parse(out);
    expect(first.a.kernel).not.toBe(first.b.kernel);
    expect(first.a.name).toBe(first.b.name);
    const allowed = await lab('diff', 'class=software', 'class=gpu', '--allow', '1e-4');
    expect(allowed.code).toBe(0);
    expect(allowed.out.replace(/\s+/g, ' ')).toMatch(
      /the same: all \d+ tensors are within what is allowed, \d+ of them/,
    );
    expectNarrow(allowed.out);
  });
});

describe('compare', () => {
  const compare = (...args: string[]) => lab('compare', ...args, '--json', '--seconds', '2');

  it('times a step with either, where both are right', async () => {
    // The same numbers, with nothing left of the exponential 400 times.
    const slow = shaders('slow', 'swiglu', (text) =>
      text.replace(
        /y\[i\] = gate.*;/,
        `var x = gate;
  for (var k = 0u; k < 400u + params.rows / 1000000u; k++) { x = gate + 1e-30 * exp(min(-x, pack(80))); }
  y[i] = gate / (1 + exp(min(-x, pack(80)))) * up;`,
      ),
    );
    const { code, out } = await compare('ours', slow);
    expect(code).toBe(0);
    const { sides, kernels, ratio, verdict, used } = JSON.parse(out);
    expect(kernels).toEqual(['swiglu']);
    expect(used).toEqual(['swiglu']);
    for (const side of sides) expect(side).toMatchObject({ problems: [], checked: 1 });
    expect(ratio.ratio).toBeGreaterThan(1.1);
    expect(['slower', 'cannot tell']).toContain(verdict); // the machine may be busy
  });
});
