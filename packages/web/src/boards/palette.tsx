/** What may be put into a cell, for who has no keys or paints. */
import type { Task } from 'hrm-webgpu';
import { lookOf } from './look.ts';

export interface PaletteProps {
  task: Task;
  /** Rows of the grid. */
  size: number;
  /** What the pointer paints with. */
  chosen: number | undefined;
  onChoose: (value: number) => void;
}

export function Palette({ task, size, chosen, onChoose }: PaletteProps) {
  const { palette, painted, name, paint, text } = lookOf(task);
  const values = palette(size);
  if (values.length === 0) return null;
  return (
    <fieldset class="palette" aria-label={painted ? 'Paint with' : 'Put into the cell'}>
      {values.map((value) => (
        <button
          key={value}
          type="button"
          aria-pressed={painted ? value === chosen : undefined}
          aria-label={painted ? name(value) : undefined}
          title={name(value)}
          onClick={() => onChoose(value)}
        >
          {painted ? <span class={`swatch ${paint(value)}`} /> : text(value) || 'blank'}
        </button>
      ))}
    </fieldset>
  );
}
