/** A checkpoint's tensors, and their sums where they are asked for. */
import type { ExaminedTensor, TensorSums } from 'hrm-webgpu/inside';
import { useEffect, useState } from 'preact/hooks';
import type { ReaderClient } from '../reading/reader-client.ts';
import { byteSize, counted, figure } from '../wording/sizes.ts';

export interface TensorTableProps {
  tensors: readonly ExaminedTensor[];
  reader: ReaderClient;
}

/** More rows than this are not drawn. */
const MOST_ROWS = 500;
const FIGURES = ['sum', 'mean', 'std', 'min', 'max'] as const;

interface Summing {
  running: boolean;
  sums: ReadonlyMap<number, TensorSums>;
  trouble?: string;
}

export function TensorTable({ tensors, reader }: TensorTableProps) {
  const { running, sums, trouble, start, stop } = useSums(reader);
  const begun = running || sums.size > 0;
  const unsound = [...sums.values()].filter(({ nan, infinite }) => nan + infinite > 0).length;
  return (
    <>
      <div class="buttons">
        <button type="button" onClick={start} disabled={running || sums.size === tensors.length}>
          Sums of all tensors
        </button>
        {running && (
          <>
            <progress value={sums.size} max={tensors.length} aria-label="Tensors read" />
            <button type="button" onClick={stop}>
              Stop
            </button>
          </>
        )}
      </div>
      <p class="hint" role="status">
        {running && 'Reading the whole file, a megabyte at a time…'}
        {!running && sums.size === tensors.length && sums.size > 0 && verdictOf(unsound)}
        {trouble && <span class="trouble">{trouble}</span>}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scrolling" aria-label="Tensors" tabIndex={0}>
        <table class="tensors">
          <thead>
            <tr>
              {['tensor', 'type', 'shape', 'size', ...(begun ? FIGURES : [])].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {tensors.slice(0, MOST_ROWS).map((tensor, i) => (
              <Row key={tensor.name} tensor={tensor} begun={begun} sums={sums.get(i)} />
            ))}
          </tbody>
        </table>
      </section>
      {tensors.length > MOST_ROWS && (
        <p class="hint">and {counted(tensors.length - MOST_ROWS, 'more tensor')}</p>
      )}
    </>
  );
}

const verdictOf = (unsound: number) =>
  unsound === 0
    ? 'All numbers are finite.'
    : `${counted(unsound, 'tensor')} with numbers that are not finite: marked in red.`;

interface RowProps {
  tensor: ExaminedTensor;
  begun: boolean;
  sums?: TensorSums;
}

function Row({ tensor: { name, dtype, shape, bytes }, begun, sums }: RowProps) {
  const unsound = sums && sums.nan + sums.infinite > 0;
  return (
    <tr class={unsound ? 'unsound' : undefined}>
      <th scope="row">
        {name}
        {unsound && ` (${sums.nan} NaN, ${sums.infinite} infinite)`}
      </th>
      <td>{dtype}</td>
      <td>[{shape.join(', ')}]</td>
      <td>{byteSize(bytes)}</td>
      {begun && FIGURES.map((name) => <td key={name}>{sums ? figure(sums[name]) : ''}</td>)}
    </tr>
  );
}

function useSums(reader: ReaderClient) {
  const [summing, setSumming] = useState<Summing>({ running: false, sums: new Map() });
  useEffect(() => () => reader.stop(), [reader]);
  const start = async () => {
    setSumming({ running: true, sums: new Map() });
    const finish = (trouble?: string) => setSumming((now) => ({ ...now, running: false, trouble }));
    try {
      await reader.sums((index, sums) =>
        setSumming((now) => ({ ...now, sums: new Map(now.sums).set(index, sums) })),
      );
      finish();
    } catch (error) {
      const { name, message } = error as Error;
      finish(name === 'AbortError' ? undefined : message);
    }
  };
  return { ...summing, start, stop: () => reader.stop() };
}
