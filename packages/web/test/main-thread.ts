/** How long a page's main thread was blocked, as the browser's own trace tells. */
import type { Page } from 'playwright-core';

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds of the thread's own time: others on a busy machine do not count. */
  tdur?: number;
  args?: { name?: string };
}

/** Milliseconds of the longest task of a page's main thread during `body`. */
export async function longestTask(page: Page, body: () => Promise<unknown>): Promise<number> {
  const browser = page.context().browser();
  if (!browser) throw new Error('the page belongs to no browser');
  await browser.startTracing(page, {
    categories: ['__metadata', 'toplevel', 'disabled-by-default-devtools.timeline'],
  });
  let trace: Buffer;
  try {
    await body();
    // A task that answers is not over yet, and only those that are over are in the trace.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const renderers = traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid} ${tid}`);
  const tasks = traceEvents.filter(
    ({ name, pid, tid, tdur }) =>
      /RunTask$/.test(name) && tdur !== undefined && renderers.includes(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error('the trace holds no tasks of the page');
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}
