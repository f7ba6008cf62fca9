import { describe, expect, it } from 'vitest';
import { UserError } from '../src/index.ts';
import { KernelTimes } from '../src/profiler.ts';

const work = { flops: 10, bytes: 20 };
const batch = (...names: string[]) => names.map((name) => ({ name, ...work }));
const stamps = (...ns: number[]) => BigUint64Array.from(ns, BigInt);

describe('times of kernels', () => {
  it('are sums, the longest first', () => {
    const times = new KernelTimes();
    times.add(batch('a', 'b'), stamps(1000, 1137, 2000, 5003));
    times.add(batch('a'), stamps(9000, 9100));
    expect(times.result()).toEqual([
      { name: 'b', calls: 1, ms: 3003 / 1e6, flops: 10, bytes: 20 },
      { name: 'a', calls: 2, ms: expect.closeTo(237 / 1e6, 12), flops: 20, bytes: 40 },
    ]);
  });

  it('leave out a clock that was set back, as if that call had taken as long as the others', () => {
    const times = new KernelTimes();
    times.add(batch('a', 'a', 'a'), stamps(1000, 1101, 5000, 400, 2000, 2103));
    expect(times.result()).toEqual([
      { name: 'a', calls: 3, ms: expect.closeTo((204 / 1e6) * 1.5, 12), flops: 30, bytes: 60 },
    ]);
  });

  it('are refused when the clock mostly goes backwards', () => {
    const times = new KernelTimes();
    times.add(batch('a', 'a', 'a'), stamps(1000, 900, 5000, 400, 2000, 2103));
    expect(() => times.result()).toThrow(UserError);
    expect(() => times.result()).toThrow(/those of a go backwards/);
  });

  it.each([65_536, 100_000])('are refused in steps of %d ns', (step) => {
    const times = new KernelTimes();
    times.add(batch('a', 'b', 'a'), stamps(0, step, 3 * step, 3 * step, 4 * step, 7 * step));
    expect(() => times.result()).toThrow(`they come in steps of ${step / 1000} µs`);
  });
});
