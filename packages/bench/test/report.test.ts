import { describe, expect, it } from 'vitest';
import { formatReport, makeBar, makeControl, passed, type Report, significant } from '../src/report.ts';

const report = (ratio: number, ours: number): Report => ({
  title: 'title',
  settings: {},
  results: [],
  table: [
    ['', 'ms'],
    ['fast', '1.00'],
    ['very slow', '100'],
  ],
  skipped: ['sparse: needs other hardware'],
  controls: [makeControl('fast against itself', { ratio, low: 0.9, high: 1.1 })],
  bars: [makeBar('twice as fast', ours, 10, 'GFLOP/s', 2)],
});

describe('a report', () => {
  it('passes when bars and controls hold', () => {
    expect(passed(report(1.04, 20))).toBe(true);
    expect(passed(report(0.94, 20))).toBe(false);
    expect(passed(report(1, 19))).toBe(false);
    expect(passed(report(Number.NaN, 20))).toBe(false);
    expect(passed(report(1, Number.NaN))).toBe(false);
  });

  it('reads well', () => {
    expect(formatReport(report(1, 19)).split('\n')).toEqual([
      'title',
      '',
      '              ms',
      'fast        1.00',
      'very slow    100',
      'not measured: sparse: needs other hardware',
      '',
      'ok   control: fast against itself: 1.000 [0.900, 1.100], must be 1 ± 0.05',
      'FAIL twice as fast: 19.0 against 10.0 GFLOP/s, ratio 1.90, must be ≥ 2',
      '',
    ]);
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
