import { say } from './terminal.ts';

/**
 * Runs `body` so that Ctrl-C aborts its signal instead of ending the process, which leaves it the time to clean
 * up; a second Ctrl-C ends the process.
 *
 * @returns what `body` returns; 130, as shells have it, when it was interrupted
 */
export async function untilInterrupted(body: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', listener);
  try {
    return await body(controller.signal);
  } catch (error) {
    if (error !== controller.signal.reason) throw error;
    say('interrupted; nothing was written');
    return 130;
  } finally {
    process.off('SIGINT', listener);
  }
}
