/** Where everything of a roofline plot lies, for whoever draws it. */
import type { Roofline } from '../timing/roofline.ts';

/** A kernel under the roofline. */
export interface PlotPoint {
  name: string;
  /** Floating-point operations a byte. */
  intensity: number;
  gflops: number;
}

export interface RooflineGeometry {
  width: number;
  height: number;
  /** What the axes leave for the plot. */
  frame: { left: number; right: number; top: number; bottom: number };
  /** Powers of ten, and where they are. */
  x: { at: number; text: string }[];
  y: { at: number; text: string }[];
  /** The roof, as `x,y x,y …`. */
  roof: string;
  /** The points in their order. */
  points: { x: number; y: number; point: PlotPoint }[];
}

const SIZE = { width: 760, height: 440 };
const MARGIN = { left: 60, right: 20, top: 16, bottom: 48 };

/** A range of powers of ten, and where its values lie. */
interface Axis {
  low: number;
  high: number;
  at(value: number): number;
}

/** Both axes are logarithmic. */
export function rooflineGeometry(
  { fmaGflops, copyGBs }: Pick<Roofline, 'fmaGflops' | 'copyGBs'>,
  points: readonly PlotPoint[],
): RooflineGeometry {
  const ridge = fmaGflops / copyGBs;
  const frame = {
    left: MARGIN.left,
    right: SIZE.width - MARGIN.right,
    top: MARGIN.top,
    bottom: SIZE.height - MARGIN.bottom,
  };
  const x = axis([ridge, ...points.map(({ intensity }) => intensity)], frame.left, frame.right);
  const y = axis(
    [fmaGflops, copyGBs * x.low, ...points.map(({ gflops }) => gflops)],
    frame.bottom,
    frame.top,
  );
  const roof = [x.low, ridge, x.high].map((intensity) => {
    const allowed = Math.min(fmaGflops, copyGBs * intensity);
    return `${place(x.at(intensity))},${place(y.at(allowed))}`;
  });
  const ticks = (of: Axis) =>
    decades(of).map((value) => ({ at: place(of.at(value)), text: powerOfTen(value) }));
  return {
    ...SIZE,
    frame,
    x: ticks(x),
    y: ticks(y),
    roof: roof.join(' '),
    points: points.map((point) => ({
      x: place(x.at(point.intensity)),
      y: place(y.at(point.gflops)),
      point,
    })),
  };
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
const place = (value: number) => Math.round(10 * value) / 10;
