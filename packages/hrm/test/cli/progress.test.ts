import { describe, expect, it } from 'vitest';
import { Sparkline } from '../../src/cli/sparkline.ts';
import { barLine } from '../../src/cli/terminal.ts';

describe('barLine', () => {
  const details = ['loss 0.123 ▁▂▃▄▅▆▇█', 'exact 12.3 % ▁▂▃▄▅▆▇█', '12.3 steps/s', '1:02:03 left'];

  it.each([20, 30, 40, 60, 79, 80, 81, 100, 120, 200])(
    'is shorter than %d columns, and keeps the time left',
    (columns) => {
      const line = barLine('train', 12_345, 26_041, details, columns);
      expect(line.length).toBeLessThan(columns);
      if (columns >= 40) expect(line).toMatch(/1:02:03 left$/);
    },
  );

  it('shows all of it where there is room, and a bar', () => {
    const line = barLine('train', 1, 4, details, 120);
    for (const part of details) expect(line).toContain(part);
    expect(line).toContain('██████░░░░░░░░░░░░░░░░░░');
  });

  it('of 80 columns still tells loss, accuracy and time', () => {
    const line = barLine('train', 12_345, 26_041, details, 80);
    expect(line).toBe('train 12345/26041  loss 0.123 ▁▂▃▄▅▆▇█  exact 12.3 % ▁▂▃▄▅▆▇█  1:02:03 left');
  });
});

describe('Sparkline', () => {
  it('draws a course from least to greatest', () => {
    const line = new Sparkline();
    for (let i = 0; i < 8; i++) line.add(i);
    expect(line.text()).toBe('▁▂▃▄▅▆▇█');
    expect(line.text([0, 28])).toBe('▁▁▁▁▂▂▂▃');
  });

  it.each([1, 5, 9, 100, 1000, 26_041])('of %d falling values is no longer than eight and falls', (count) => {
    const line = new Sparkline();
    for (let i = 0; i < count; i++) line.add(1 / (i + 1));
    const bars = [...line.text()].map((bar) => '▁▂▃▄▅▆▇█'.indexOf(bar));
    expect(bars.length).toBeGreaterThan(0);
    expect(bars.length).toBeLessThanOrEqual(8);
    expect(bars.every((bar, i) => i === 0 || bar <= bars[i - 1])).toBe(true);
  });

  it('passes over what is no number, and draws a constant', () => {
    const line = new Sparkline();
    for (const value of [Number.NaN, 2, Number.POSITIVE_INFINITY, 2]) line.add(value);
    expect(line.text()).toBe('▁▁');
  });
});
