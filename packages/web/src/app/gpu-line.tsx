/** What computes, in a line; and what to do where nothing can. */
import type { Gpu } from '../engine/api.ts';

export function GpuLine({ gpu, losses }: { gpu: Gpu | undefined; losses: number }) {
  if (!gpu) return <p class="gpu">Opening the GPU…</p>;
  if ('missing' in gpu) return null;
  return (
    <p class="gpu">
      Computing on <strong>{gpu.name}</strong>
      {gpu.software && ' (a software adapter, on the processor: a GPU is many times as fast)'}
      {losses > 0 && ` · the GPU was lost ${losses === 1 ? 'once' : `${losses} times`} and opened again`}
    </p>
  );
}
