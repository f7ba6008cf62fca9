/**
 * A grid that is looked at or edited: by pointer, or by the arrow keys and digits. It is ARIA's grid made of plain elements: browsers
 * drop what a table means as soon as it is laid out otherwise.
 */
import type { Task } from 'hrm-webgpu';
import { useRef, useState } from 'preact/hooks';
import { boxOf, lookOf } from './look.ts';

export interface BoardProps {
  task: Task;
  grid: readonly (readonly number[])[];
  /** What it is, for who cannot see it. */
  label: string;
  /** What was given: such cells are bold, others are an answer. */
  givens?: readonly (readonly number[])[];
  /** Cells by number that break a rule. */
  broken?: ReadonlySet<number>;
  /** What is said of those; default `breaks a rule`. */
  fault?: string;
  /** Cells by number that are not as they were. */
  changed?: ReadonlySet<number>;
  /** How sure each cell is, 0 to 1. */
  confidence?: ArrayLike<number>;
  size?: 'small' | 'large';
  onChange?: (row: number, column: number, value: number) => void;
  /** What the pointer paints, where it paints. */
  brush?: number;
  /** Called with the cell that keys would change. */
  onCell?: (row: number, column: number) => void;
}

const STEPS: Record<string, readonly [row: number, column: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function Board(props: BoardProps) {
  const { task, grid, label, size = 'large', onChange, brush, onCell } = props;
  const columns = grid[0]?.length ?? 0;
  const [at, setAt] = useState<readonly [number, number]>([0, 0]);
  const board = useRef<HTMLDivElement>(null);
  const move = (row: number, column: number) => {
    const next = [clamp(row, grid.length), clamp(column, columns)] as const;
    setAt(next);
    board.current?.querySelector<HTMLElement>(`[data-cell="${next[0] * columns + next[1]}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const [row, column] = at;
    const step = STEPS[event.key];
    const value = event.ctrlKey || event.metaKey ? undefined : lookOf(task).key(event.key, grid.length);
    if (step) move(row + step[0], column + step[1]);
    else if (event.key === 'Home') move(row, 0);
    else if (event.key === 'End') move(row, columns - 1);
    else if (value !== undefined && onChange) onChange(row, column, value);
    else return;
    event.preventDefault();
  };
  const paint = (event: PointerEvent) => {
    if (brush === undefined || !(event.buttons & 1)) return;
    const under = document
      .elementFromPoint(event.clientX, event.clientY)
      ?.closest<HTMLElement>('[data-cell]');
    if (!under || !board.current?.contains(under)) return;
    const cell = Number(under.dataset.cell);
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    if (grid[row][column] !== brush) onChange?.(row, column, brush);
  };
  return (
    <div
      class={`board ${task} ${size}${brush === undefined ? '' : ' painted'}`}
      role="grid"
      aria-label={label}
      aria-readonly={!onChange}
      ref={board}
      style={{ '--rows': grid.length, '--columns': columns }}
      onKeyDown={onKeyDown}
      onPointerDown={paint}
      onPointerMove={paint}
    >
      {grid.map((cells, row) => (
        <div role="row" class="row" key={row}>
          {cells.map((value, column) => (
            <Cell
              key={column}
              {...props}
              {...{ row, column, value, columns }}
              current={at[0] === row && at[1] === column}
              onFocus={() => {
                setAt([row, column]);
                onCell?.(row, column);
              }}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

interface CellProps extends BoardProps {
  row: number;
  column: number;
  columns: number;
  value: number;
  current: boolean;
  onFocus: () => void;
}

function Cell(props: CellProps) {
  const {
    task,
    grid,
    givens,
    broken,
    fault = 'breaks a rule',
    changed,
    confidence,
    row,
    column,
    columns,
    value,
    current,
    onFocus,
  } = props;
  const look = lookOf(task);
  const cell = row * columns + column;
  const box = boxOf(task, grid.length);
  const known = givens ? (givens[row]?.[column] ?? look.empty) : value; // an answer may be larger than its puzzle
  const given = known !== look.empty;
  const sure = confidence?.[cell];
  const classes = [
    'cell',
    look.paint(value),
    given && 'given',
    broken?.has(cell) && 'broken',
    changed?.has(cell) && 'changed',
    box && row % box.rows === 0 && row > 0 && 'edge-top',
    box && column % box.columns === 0 && column > 0 && 'edge-left',
  ];
  const said = [
    `row ${row + 1}, column ${column + 1}: ${look.name(value)}`,
    given && givens && 'given',
    broken?.has(cell) && fault,
    sure !== undefined && !given && `${Math.round(100 * sure)} % sure`,
  ];
  return (
    <div
      role="gridcell"
      class={classes.filter(Boolean).join(' ')}
      data-cell={cell}
      tabIndex={current ? 0 : -1}
      aria-label={said.filter(Boolean).join(', ')}
      style={sure === undefined || given ? undefined : { '--sure': sure.toFixed(3) }}
      onFocus={onFocus}
      onPointerDown={(event) => (event.currentTarget as HTMLElement).focus()}
    >
      {look.text(value)}
    </div>
  );
}

const clamp = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
