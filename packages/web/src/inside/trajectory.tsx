/** The way of a module's state through two principal components. */

import { type Path, pathOf, pathWords } from './lines.ts';
import type { Look } from './measure.ts';

export interface TrajectoryProps {
  look: Look;
  level: 'H' | 'L';
}

/** Of the picture, in its own units. */
const WIDTH = 300;
const HEIGHT = 220;
/** More segments than this are numbered at the ends alone. */
const NUMBERED = 6;

/** From coordinates to places in the picture: the same scale both ways, in the middle. */
function placer({ box }: Path): (point: readonly [number, number]) => [number, number] {
  const scale = Math.min(WIDTH / box.width, HEIGHT / box.height);
  const left = (WIDTH - scale * box.width) / 2;
  const top = (HEIGHT - scale * box.height) / 2;
  return ([x, y]) => [left + scale * (x - box.x), top + scale * (box.y + box.height - y)];
}

export function Trajectory({ look, level }: TrajectoryProps) {
  const path = pathOf(look, level);
  const place = placer(path);
  const places = path.points.map(place);
  const words = pathWords(level, path);
  const isEnd = new Set(path.ends);
  return (
    <figure class={`trajectory level-${level.toLowerCase()}`}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`The way of z_${level}. ${words}`}>
        <polyline points={places.map((at) => at.map((value) => value.toFixed(1)).join()).join(' ')} />
        {places.map(([x, y], i) => (
          <circle key={i} cx={x} cy={y} r={isEnd.has(i) ? 5 : 2} class={isEnd.has(i) ? 'end' : 'step'} />
        ))}
        {path.ends.map((end, i) => (
          <Numbered key={end} segment={i + 1} of={path.ends.length} at={places[end]} />
        ))}
      </svg>
      <figcaption>
        <strong>z_{level}</strong> {words}
      </figcaption>
    </figure>
  );
}

function Numbered({ segment, of, at: [x, y] }: { segment: number; of: number; at: [number, number] }) {
  if (of > NUMBERED && segment > 1 && segment < of) return null;
  return (
    <text x={x} y={y - 9} text-anchor="middle">
      {segment}
    </text>
  );
}
