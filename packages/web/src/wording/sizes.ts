/** Numbers for people. */

const UNITS = ['B', 'kB', 'MB', 'GB'];

/** 12 B, 3.4 kB, 120 MB. */
export function byteSize(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? value.toFixed(0) : value.toPrecision(2)} ${UNITS[unit]}`;
}

export const whole = (value: number) => value.toLocaleString('en');

/** One or many of something. */
export const counted = (value: number, thing: string) => `${whole(value)} ${thing}${value === 1 ? '' : 's'}`;

/** A figure of weights: four digits after the point, or a power of ten. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '–';
  const plain = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5);
  return plain ? value.toFixed(4) : value.toExponential(2);
}
