/** Figures in rows, each named by its first cell. */

export interface FigureTableProps {
  /** For those who do not see it. */
  caption: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
  class?: string;
}

export function FigureTable({ caption, head, rows, class: style }: FigureTableProps) {
  return (
    <table class={style}>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {head.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([first, ...rest]) => (
          <tr key={[first, ...rest].join()}>
            <th scope="row">{first}</th>
            {rest.map((cell, i) => (
              <td key={head[i + 1]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
