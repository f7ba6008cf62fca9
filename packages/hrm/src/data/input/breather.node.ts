/** Time after which a busy loop lets other things happen. */
const BUSY_MS = 50;

/**
 * For busy loops: a function to be awaited every time round. Now and then it lets timers, signals (a Ctrl-C
 * first of all) and the like have their turn, and resolves to true.
 *
 * @param signal once it is aborted, the function throws its reason. Node only
 */
export function breather(signal?: AbortSignal): () => boolean | Promise<boolean> {
  let last = performance.now();
  const pause = async () => {
    // After the first, timers that are due have not had their turn if the event loop was past them; after the second, they have.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    signal?.throwIfAborted();
    last = performance.now();
    return true;
  };
  return () => (performance.now() - last < BUSY_MS ? false : pause());
}
