/** The roofline of an adapter and where kernels stand under it, as SVG without styles or scripts. */
import type { Roofline } from '../timing/roofline.ts';
import { significant } from '../timing/table.ts';
import { escaped } from './escaped.ts';

/** A kernel under the roofline. */
export interface PlotPoint {
  name: string;
  /** Floating-point operations a byte. */
  intensity: number;
  gflops: number;
}

const SIZE = { width: 760, height: 440 };
const FRAME = { left: 60, right: 20, top: 16, bottom: 48 };

/** A range of powers of ten, and where its values lie. */
interface Axis {
  low: number;
  high: number;
  at(value: number): number;
}

/** Both axes are logarithmic; the numbers beside the points are their places in `points`, from 1. */
export function rooflinePlot(
  roofline: Pick<Roofline, 'fmaGflops' | 'copyGBs'>,
  points: readonly PlotPoint[],
): string {
  const { fmaGflops, copyGBs } = roofline;
  const ridge = fmaGflops / copyGBs;
  const bottom = SIZE.height - FRAME.bottom;
  const right = SIZE.width - FRAME.right;
  const x = axis([ridge, ...points.map(({ intensity }) => intensity)], FRAME.left, right);
  const y = axis([fmaGflops, copyGBs * x.low, ...points.map(({ gflops }) => gflops)], bottom, FRAME.top);
  const roof = [x.low, ridge, x.high].map((intensity) => {
    const allowed = Math.min(fmaGflops, copyGBs * intensity);
    return `${place(x.at(intensity))},${place(y.at(allowed))}`;
  });
  const text = (px: number, py: number, anchor: string, words: string, size = 12) =>
    `<text x="${place(px)}" y="${place(py)}" text-anchor="${anchor}" font-size="${size}">${escaped(words)}</text>`;
  const line = (d: string) => `<path d="${d}" stroke="#ddd"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" ` +
      `height="${SIZE.height}" font-family="system-ui, sans-serif" role="img">`,
    `<title>Roofline: ${significant(fmaGflops)} GFLOP/s, ${significant(copyGBs)} GB/s</title>`,
    ...decades(x).map((value) => line(`M${place(x.at(value))} ${FRAME.top}V${bottom}`)),
    ...decades(y).map((value) => line(`M${FRAME.left} ${place(y.at(value))}H${right}`)),
    ...decades(x).map((value) => text(x.at(value), bottom + 16, 'middle', powerOfTen(value))),
    ...decades(y).map((value) => text(FRAME.left - 6, y.at(value) + 4, 'end', powerOfTen(value))),
    text((FRAME.left + right) / 2, SIZE.height - 10, 'middle', 'floating-point operations a byte'),
    text(FRAME.left + 6, FRAME.top + 12, 'start', 'GFLOP/s'),
    `<polyline points="${roof.join(' ')}" fill="none" stroke="#222" stroke-width="2"/>`,
    ...points.flatMap(({ name, intensity, gflops }, i) => {
      const [px, py] = [x.at(intensity), y.at(gflops)];
      const told = `${name}: ${significant(gflops)} GFLOP/s`;
      const dot = `<circle cx="${place(px)}" cy="${place(py)}" r="4" fill="#0a58ca">`;
      return [
        `${dot}<title>${escaped(told)}</title></circle>`,
        text(px + 6, py + 4, 'start', String(i + 1), 10),
      ];
    }),
    '</svg>',
  ].join('\n');
}

/** From the power of ten below all values to the one above. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const logs = values.map(Math.log10);
  const low = Math.floor(Math.min(...logs));
  const high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
  const at = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { low: 10 ** low, high: 10 ** high, at };
}

/** The powers of ten of an axis. */
function decades({ low, high }: Axis): number[] {
  const [first, last] = [low, high].map((value) => Math.round(Math.log10(value)));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

const powerOfTen = (value: number) => String(Number(value.toPrecision(1)));

/** Tenths of a pixel. */
const place = (value: number) => String(Math.round(10 * value) / 10);
