/** What is drawn of a thought's inside, and the same in words. */
import type { Segment } from '../engine/api.ts';
import type { Look } from './measure.ts';

type Level = 'H' | 'L';

export interface ResidualLines {
  /** Fast steps since the beginning, from 1. */
  x: number[];
  /** At each of them; null where the module made no step, and where it stood still, which a logarithmic axis has no place for. */
  H: (number | null)[];
  L: (number | null)[];
}

/** The residual of an H step stands at the L step before it. */
export function residualLines(segments: readonly Pick<Segment, 'steps'>[]): ResidualLines {
  const lines: ResidualLines = { x: [], H: [], L: [] };
  for (const { level, residual } of segments.flatMap(({ steps }) => steps)) {
    if (level === 'L') {
      lines.x.push(lines.x.length + 1);
      lines.H.push(null);
      lines.L.push(null);
    }
    lines[level][lines.x.length - 1] = residual || null;
  }
  return lines;
}

/** Five digits of a number; whole ones as they are. */
export const shown = (value: number | null) =>
  value === null ? '' : String(Number.isInteger(value) ? value : Number(value.toPrecision(5)));

const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

/** How far one module moves, at first and in the end. */
function fall(name: string, values: readonly (number | null)[]): string {
  const moves = values.filter((value) => value !== null);
  if (moves.length === 0) return '';
  return `${name} moves ${short(moves[0])} in its first step, ${short(moves[moves.length - 1])} in its latest.`;
}

export const residualWords = ({ H, L }: ResidualLines) =>
  [fall('z_H', H), fall('z_L', L)].filter(Boolean).join(' ');

export function participationWords({ participation }: Look): string {
  const { rows, H, L } = participation[participation.length - 1];
  const [more, less] = H > L ? ['z_H', 'z_L'] : ['z_L', 'z_H'];
  return `Over ${rows} rows z_H fills ${H.toFixed(1)} dimensions and z_L ${L.toFixed(1)}: ${more} more than ${less}.`;
}

export interface Path {
  /** In the order of the steps: x to the right, y upwards. */
  points: readonly (readonly [number, number])[];
  /** The numbers of the points at which segments end, from 0. */
  ends: readonly number[];
  /** The least box that holds all points, with some room around them. */
  box: { x: number; y: number; width: number; height: number };
  /** The share of the variance that the two components hold, 0 to 1. */
  explained: number;
}

/** Room around a path, as a share of its larger extent. */
const ROOM = 0.12;

/** The way of one module's state. */
export function pathOf({ trajectory, segments }: Look, level: Level): Path {
  const { coordinates, explained } = trajectory[level];
  const points = coordinates.map(([x, y]) => [x, y] as const);
  const each = points.length / segments;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, bottom] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - bottom];
  const room = ROOM * Math.max(width, height) || 1;
  return {
    points,
    ends: Array.from({ length: segments }, (_, i) => Math.round((i + 1) * each) - 1),
    box: { x: left - room, y: bottom - room, width: width + 2 * room, height: height + 2 * room },
    explained: explained[0] + explained[1],
  };
}

/** What a picture of the path shows. */
export function pathWords(level: Level, { points, ends, explained, box }: Path): string {
  const share = `The two components hold ${Math.round(100 * explained)} % of how z_${level} varies.`;
  const [from, to] = [ends[ends.length - 2], ends[ends.length - 1]];
  if (from === undefined) return `${points.length} steps. ${share}`;
  const last = Math.hypot(points[to][0] - points[from][0], points[to][1] - points[from][1]);
  const still = last < 0.05 * Math.max(box.width, box.height);
  return `${points.length} steps in ${ends.length} segments. ${share} In the latest segment it ${still ? 'hardly moved' : 'still moved'}.`;
}
