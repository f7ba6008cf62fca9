/** The roofline of an adapter and where kernels stand under it, as SVG without styles or scripts. */
import { type PlotPoint, rooflineGeometry } from '../report/roofline-geometry.ts';
import type { Roofline } from '../timing/roofline.ts';
import { significant } from '../timing/table.ts';
import { escaped } from './escaped.ts';

/** The numbers beside the points are their places in `points`, from 1. */
export function rooflinePlot(
  roofline: Pick<Roofline, 'fmaGflops' | 'copyGBs'>,
  points: readonly PlotPoint[],
): string {
  const { width, height, frame, x, y, roof, points: dots } = rooflineGeometry(roofline, points);
  const text = (px: number, py: number, anchor: string, words: string, size = 12) =>
    `<text x="${px}" y="${py}" text-anchor="${anchor}" font-size="${size}">${escaped(words)}</text>`;
  const line = (d: string) => `<path d="${d}" stroke="#ddd"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
      `height="${height}" font-family="system-ui, sans-serif" role="img">`,
    `<title>Roofline: ${significant(roofline.fmaGflops)} GFLOP/s, ${significant(roofline.copyGBs)} GB/s</title>`,
    ...x.map(({ at }) => line(`M${at} ${frame.top}V${frame.bottom}`)),
    ...y.map(({ at }) => line(`M${frame.left} ${at}H${frame.right}`)),
    ...x.map((tick) => text(tick.at, frame.bottom + 16, 'middle', tick.text)),
    ...y.map((tick) => text(frame.left - 6, tick.at + 4, 'end', tick.text)),
    text((frame.left + frame.right) / 2, height - 10, 'middle', 'floating-point operations a byte'),
    text(frame.left + 6, frame.top + 12, 'start', 'GFLOP/s'),
    `<polyline points="${roof}" fill="none" stroke="#222" stroke-width="2"/>`,
    ...dots.flatMap(({ x: px, y: py, point: { name, gflops } }, i) => {
      const told = `${name}: ${significant(gflops)} GFLOP/s`;
      const dot = `<circle cx="${px}" cy="${py}" r="4" fill="#0a58ca">`;
      return [
        `${dot}<title>${escaped(told)}</title></circle>`,
        text(px + 6, py + 4, 'start', String(i + 1), 10),
      ];
    }),
    '</svg>',
  ].join('\n');
}
