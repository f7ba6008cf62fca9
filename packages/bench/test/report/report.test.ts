import { describe, expect, it } from 'vitest';
import { formatReport, makeBar, makeControl, passed, type Report } from '../../src/report/report.ts';
import { significant } from '../../src/timing/table.ts';

const report = (low: number, high: number, ours: number): Report => ({
  title: 'title',
  settings: {},
  results: [],
  table: [
    ['', 'ms'],
    ['fast', '1.00'],
    ['very slow', '100'],
  ],
  skipped: ['sparse: needs other hardware'],
  controls: [makeControl('fast against itself', { ratio: (low + high) / 2, low, high })],
  bars: [makeBar('twice as fast', ours, 10, 'GFLOP/s', 2)],
});

describe('a report', () => {
  it('passes when bars and controls hold', () => {
    expect(passed(report(0.98, 1.02, 20))).toBe(true);
    expect(passed(report(0.98, 1.02, 19))).toBe(false);
    expect(passed(report(0.98, 1.02, Number.NaN))).toBe(false);
  });

  it.each([
    ['an interval wider than 6 %', 0.96, 1.03],
    ['an interval above 1', 1.001, 1.02],
    ['an interval below 1', 0.98, 0.999],
    ['no interval', Number.NaN, Number.NaN],
  ])('fails a control with %s', (_, low, high) => expect(passed(report(low, high, 20))).toBe(false));

  it('reads well', () => {
    expect(formatReport(report(0.98, 1.02, 19)).split('\n')).toEqual([
      'title',
      '',
      '             ms',
      'fast       1.00',
      'very slow   100',
      'not measured: sparse: needs other hardware',
      '',
      'ok   control: fast against itself: 1.000 [0.980, 1.020], holds 1 within 0.06',
      'FAIL twice as fast: 19.0 against 10.0 GFLOP/s, ratio 1.90, must be ≥ 2',
      '',
    ]);
  });

  it('says what to do about a noisy machine', () => {
    expect(formatReport(report(0.9, 1.1, 20))).toContain(
      'FAIL control: fast against itself: 1.000 [0.900, 1.100]\n',
    );
    expect(formatReport(report(0.9, 1.1, 20))).toContain('Stop what else runs on it');
  });

  it('shows the roofline', () => {
    const roofline = {
      ...{ fmaGflops: 50, fmaGflopsUndisturbed: 51, fmaVariant: 'f32 × 8', copyGBs: 10 },
      ...{ scalarLoads: 1, vec4Loads: 0.5 },
    };
    expect(formatReport({ ...report(1, 1, 20), roofline })).toContain(
      'roofline: 50.0 GFLOP/s (f32 × 8), copy 10.0 GB/s',
    );
  });
});

it.each([
  [0.012345, '0.0123'],
  [1.005, '1.00'],
  [17.26, '17.3'],
  [682.4, '682'],
  [12345, '12345'],
  [0, '0.00'],
])('significant(%d) is %s', (value, text) => expect(significant(value)).toBe(text));
