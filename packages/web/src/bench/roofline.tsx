/** What the adapter allows, and where its kernels stand. */
import { type PlotPoint, type Roofline, rooflineGeometry, significant } from 'hrm-webgpu-bench/page';

export interface RooflinePlotProps {
  roofline: Pick<Roofline, 'fmaGflops' | 'copyGBs'>;
  points: readonly PlotPoint[];
}

export function RooflinePlot({ roofline, points }: RooflinePlotProps) {
  const { width, height, frame, x, y, roof, points: dots } = rooflineGeometry(roofline, points);
  const { fmaGflops, copyGBs } = roofline;
  return (
    <figure class="roofline">
      <figcaption>
        Measured here: {significant(fmaGflops)} GFLOP/s of multiply-adds, {significant(copyGBs)} GB/s of
        copying. What lies above the slope is fed by caches.
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label="Roofline plot; its numbers are in the table"
      >
        {x.map(({ at, text }) => (
          <g key={text}>
            <path class="grid" d={`M${at} ${frame.top}V${frame.bottom}`} />
            <text x={at} y={frame.bottom + 18} text-anchor="middle">
              {text}
            </text>
          </g>
        ))}
        {y.map(({ at, text }) => (
          <g key={text}>
            <path class="grid" d={`M${frame.left} ${at}H${frame.right}`} />
            <text x={frame.left - 8} y={at + 4} text-anchor="end">
              {text}
            </text>
          </g>
        ))}
        <text x={(frame.left + frame.right) / 2} y={height - 8} text-anchor="middle">
          floating-point operations a byte
        </text>
        <text x={frame.left + 6} y={frame.top + 14}>
          GFLOP/s
        </text>
        <polyline class="roof" points={roof} />
        {dots.map(({ x: px, y: py, point }, i) => (
          <g key={point.name}>
            <circle class="dot" cx={px} cy={py} r="5">
              <title>{`${point.name}: ${significant(point.gflops)} GFLOP/s`}</title>
            </circle>
            <text class="number" x={px + 8} y={py + 4}>
              {i + 1}
            </text>
          </g>
        ))}
      </svg>
      <ol>
        {points.map(({ name, gflops }) => (
          <li key={name}>
            {name}: {significant(gflops)} GFLOP/s
          </li>
        ))}
      </ol>
    </figure>
  );
}
