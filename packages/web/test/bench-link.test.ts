/** A result survives being an address; what somebody else wrote there does no harm. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../src/bench/api.ts';
import { packFinding, unpackFinding } from '../src/bench/link.ts';

const FINDING: Finding = {
  benchmark: 'kernels',
  title: 'kernels of a full-size training call, 8 × 82 positions',
  form: 'quick',
  adapter: 'an adapter <b>',
  software: false,
  browser: 'Firefox 153.0',
  limits: { maxBufferSize: 2 ** 31 },
  date: '2026-01-02T03:04:05.000Z',
  table: [
    ['kernel', 'median ms'],
    ['matmul', '1.23'],
  ],
  controls: [{ name: 'fma against itself', ratio: 1, low: 0.99, high: 1.01, widest: 0.06, ok: true }],
  bars: [
    { name: 'matmul of the FMA peak', ours: 1, peer: 2, unit: 'GFLOP/s', ratio: 0.5, goal: 0.3, ok: true },
  ],
  shown: [],
  skipped: ['time by kernel'],
  roofline: { fmaGflops: 100, copyGBs: 10 },
  points: [{ name: 'matmul', intensity: 12, gflops: 50 }],
};

const pack = (value: unknown) => packFinding(value as Finding);

describe('a result as a link', () => {
  it('is the same afterwards', async () => {
    const packed = await packFinding(FINDING);
    expect(packed).toMatch(/^[\w-]+$/);
    expect(await unpackFinding(packed)).toEqual(FINDING);
  });

  it.each(['', 'x', '%%%', 'AAAA', '_____'])('%j is none', async (text) => {
    await expect(unpackFinding(text)).rejects.toThrow(/^the link holds no result/);
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['no table', { ...FINDING, table: undefined }],
    ['a table of numbers', { ...FINDING, table: [[1, 2]] }],
    ['a title that is no text', { ...FINDING, title: { toString: 'x' } }],
    ['a point at 0', { ...FINDING, points: [{ name: 'x', intensity: 0, gflops: 1 }] }],
    ['a roof that is no number', { ...FINDING, roofline: { fmaGflops: null, copyGBs: 1 } }],
    ['limits that are texts', { ...FINDING, limits: { maxBufferSize: 'much' } }],
    ['far too many rows', { ...FINDING, table: Array(5000).fill(['a', 'b']) }],
  ])('%s is refused', async (_, value) => {
    await expect(unpackFinding(await pack(value))).rejects.toThrow('the link holds no result of this page');
  });

  it('does not unpack what a small text blows up to', async () => {
    const bomb = await pack({ ...FINDING, title: 'x'.repeat(5_000_000) });
    expect(bomb.length).toBeLessThan(20_000);
    await expect(unpackFinding(bomb)).rejects.toThrow('the link holds no result: part of it may be missing');
  });
});
