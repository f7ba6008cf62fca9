import { describe, expect, it } from 'vitest';
import { formatReport, makeBar, makeControl, passed, type Report } from '../../src/report/report.ts';
import { formatTable, reflow, significant, wrap } from '../../src/timing/table.ts';

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

  it('shows what is not judged, and passes whatever it says', () => {
    const slow = { ...report(0.98, 1.02, 20), shown: ['first call: 1000 s'] };
    expect(formatReport(slow)).toContain('\nnot judged: first call: 1000 s\n');
    expect(passed(slow)).toBe(true);
  });

  it('fits 80 columns, whatever names and reasons there are', () => {
    const long = 'a name that goes on and on and on, as those of the bars of whole models do';
    const text = formatReport({
      ...report(0.9, 1.1, 20),
      title: long.repeat(3),
      table: [
        ['', 'ms', 'middle half', 'GFLOP/s', 'of best matmul', ''],
        [long, '1234', '1230–1250', '12.3', '100 %', ''],
      ],
      bars: [makeBar(long, 1, 2, 'GFLOP/s', 2)],
      skipped: [long.repeat(2)],
      shown: [long.repeat(2)],
    });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toContain('1230–1250');
  });

  it('allows the control a width of its own', () => {
    expect(makeControl('x', { ratio: 1, low: 0.9, high: 1.1 }, 0.3)).toMatchObject({ ok: true, widest: 0.3 });
    expect(makeControl('x', { ratio: 1, low: 0.8, high: 1.2 }, 0.3).ok).toBe(false);
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

describe('a table', () => {
  const numbers = ['11111', '22222', '33333', '44444', '55555', '66666', '77777', '88888', '99999', '10000'];
  it('puts a name for which there is no room above its numbers', () => {
    const lines = formatTable([
      ['kernel', ...numbers],
      ['attention_subgroup_backward_query', ...numbers],
    ]);
    expect(lines.slice(0, 2)).toEqual([
      `kernel      ${numbers.join('  ')}`,
      'attention_subgroup_backward_query',
    ]);
    expect(lines[2]).toBe(`            ${numbers.join('  ')}`);
  });

  it('keeps names and numbers on one line where they fit', () => {
    const rows = [
      ['', 'ms'],
      ['one', '1.0'],
      ['three', '12'],
    ];
    expect(formatTable(rows)).toEqual(['        ms', 'one    1.0', 'three   12']);
  });
});

describe('text', () => {
  it('is wrapped at 80 columns, and indented from the second line on', () => {
    const lines = wrap('word '.repeat(40).trim(), '  ');
    expect(lines.length).toBe(3);
    expect(lines[1]).toMatch(/^ {2}word/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('flows paragraphs anew, and keeps lists', () => {
    const text = reflow('one\ntwo\n\nthree\n  a   item\n  b   item\nfour');
    expect(text).toBe('one two\n\nthree\n  a   item\n  b   item\nfour');
  });
});
