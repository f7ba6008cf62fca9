/** Lines over whole numbers, in the colours of the page; the same in words for who cannot see them. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  name: string;
  /** One for each x; null where there is none. */
  values: readonly (number | null)[];
  /** A custom property of the page's colours. */
  colour: string;
  dashed?: boolean;
  /** Whether the line goes on over where there is no value. */
  joined?: boolean;
}

export interface ChartProps {
  /** What it shows, in a sentence: it is read instead of the picture. */
  label: string;
  x: readonly number[];
  xName: string;
  lines: readonly Line[];
  /** Where a line is drawn from top to bottom, and what it says. */
  mark?: { x: number; text: string };
  height?: number;
  logarithmic?: boolean;
  onPick?: (index: number) => void;
}

/** Values that are drawn as dots too: more of them run into each other. */
const MOST_DOTS = 60;

const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Chart({ label, x, xName, lines, mark, height = 180, logarithmic, onPick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  const latest = useRef({ mark, onPick });
  latest.current = { mark, onPick };
  const names = lines.map(({ name, colour }) => `${name} ${colour}`).join();
  const data = useMemo(() => [x, ...lines.map(({ values }) => values)] as UPlot.AlignedData, [x, lines]);
  // Made anew when the lines are others, not when their values are.
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const options = optionsOf({ xName, lines, height, logarithmic, latest }, element.clientWidth);
    const made = new UPlot(options, data, element);
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => made.redraw(false, true);
    scheme.addEventListener('change', repaint);
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', repaint);
      made.destroy();
    };
  }, [names, height, logarithmic, xName]);
  // A mark is drawn with the data.
  useEffect(() => plot.current?.setData(data), [data, mark?.x]);
  return <div class="chart" role="img" aria-label={label} ref={place} />;
}

type Latest = { current: Pick<ChartProps, 'mark' | 'onPick'> };

function optionsOf(
  {
    xName,
    lines,
    height,
    logarithmic,
    latest,
  }: Pick<ChartProps, 'xName' | 'lines' | 'logarithmic'> & {
    height: number;
    latest: Latest;
  },
  width: number,
): UPlot.Options {
  const axis = (label?: string): UPlot.Axis => ({
    stroke: () => colourOf('--faint'),
    grid: { stroke: () => colourOf('--line'), width: 1 },
    ticks: { stroke: () => colourOf('--line'), width: 1 },
    font: '12px system-ui, sans-serif',
    ...(label && { label, labelSize: 18, labelFont: '12px system-ui, sans-serif' }),
  });
  return {
    width,
    height,
    scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
    axes: [
      { ...axis(xName), size: 32, labelGap: 0, incrs: [1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000] },
      { ...axis(), size: 46, ...(logarithmic && { splits: powersOfTen }) },
    ],
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { live: false },
    series: [
      { label: xName },
      ...lines.map(
        ({ name, colour, dashed, joined }): UPlot.Series => ({
          label: name,
          stroke: () => colourOf(colour),
          width: 2,
          spanGaps: joined,
          ...(dashed && { dash: [5, 4] }),
          points: { show: (_plot, _line, from, to) => to - from < MOST_DOTS, size: 5 },
          value: (_, value) => (value === null ? '–' : value.toPrecision(3)),
        }),
      ),
    ],
    hooks: {
      draw: [(plot) => drawMark(plot, latest.current.mark)],
      ready: [
        (plot) =>
          plot.over.addEventListener('click', () => {
            const { idx } = plot.cursor;
            if (idx !== null && idx !== undefined) latest.current.onPick?.(idx);
          }),
      ],
    },
  };
}

/** A line for each power, where uPlot would draw nine. */
function powersOfTen(_plot: UPlot, _axis: number, least: number, most: number): number[] {
  const first = Math.ceil(Math.log10(least) - 1e-9);
  const last = Math.floor(Math.log10(most) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

function drawMark(plot: UPlot, mark: ChartProps['mark']): void {
  if (!mark) return;
  const { ctx, bbox } = plot;
  const at = plot.valToPos(mark.x, 'x', true);
  ctx.save();
  ctx.strokeStyle = colourOf('--accent');
  ctx.fillStyle = colourOf('--accent');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(at, bbox.top);
  ctx.lineTo(at, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  const right = at > bbox.left + bbox.width / 2;
  ctx.textAlign = right ? 'right' : 'left';
  ctx.fillText(mark.text, at + (right ? -6 : 6) * devicePixelRatio, bbox.top + 14 * devicePixelRatio);
  ctx.restore();
}
