/** Rows and columns of an ARC grid, which may be any up to 30. */

const MOST = 30;

export interface ArcSizeProps {
  grid: number[][];
  onGrid: (grid: number[][]) => void;
}

/** The grid with so many rows and columns; what is new is black. */
function resized(grid: number[][], rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => grid[r]?.[c] ?? 0));
}

export function ArcSize({ grid, onGrid }: ArcSizeProps) {
  const [rows, columns] = [grid.length, grid[0].length];
  const field = (name: string, value: number, onValue: (value: number) => void) => (
    <label class="field">
      <span>{name}</span>
      <input
        type="number"
        min="1"
        max={MOST}
        value={value}
        onChange={({ currentTarget }) => {
          const wanted = Math.trunc(currentTarget.valueAsNumber);
          if (wanted >= 1 && wanted <= MOST) onValue(wanted);
          else currentTarget.value = String(value);
        }}
      />
    </label>
  );
  return (
    <>
      {field('Rows', rows, (wanted) => onGrid(resized(grid, wanted, columns)))}
      {field('Columns', columns, (wanted) => onGrid(resized(grid, rows, wanted)))}
    </>
  );
}
