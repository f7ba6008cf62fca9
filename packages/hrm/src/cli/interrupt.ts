import { say } from './terminal.ts';

/** What asks a process to end (Ctrl-C, `kill`, a terminal that is closed), with the exit codes of shells. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Listens for what asks the process to end: the first time aborts {@link signal}, the second one ends the process. */
export class Interrupt {
  /** For what came first, as shells have it; undefined as long as nothing came. */
  exitCode: number | undefined;
  private readonly controller = new AbortController();
  private readonly listeners = Object.entries(EXIT_CODES).map(
    ([name, code]) => [name, () => this.interrupt(code)] as const,
  );

  /** @param announce called the first time */
  constructor(private readonly announce = () => {}) {
    for (const [name, listener] of this.listeners) process.on(name, listener);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Stops listening. */
  stop(): void {
    for (const [name, listener] of this.listeners) process.off(name, listener);
  }

  private interrupt(code: number): void {
    if (this.signal.aborted) process.exit(code);
    this.exitCode = code;
    this.announce();
    this.controller.abort();
  }
}

/**
 * Runs `body` so that Ctrl-C, SIGTERM and SIGHUP abort its signal instead of ending the process, which leaves it
 * the time to clean up; a second one ends the process.
 *
 * @returns what `body` returns; 130, 143 or 129, as shells have it, when it was interrupted
 */
export async function untilInterrupted(body: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const interrupt = new Interrupt();
  try {
    return await body(interrupt.signal);
  } catch (error) {
    if (interrupt.exitCode === undefined || error !== interrupt.signal.reason) throw error;
    say('interrupted; nothing was written');
    return interrupt.exitCode;
  } finally {
    interrupt.stop();
  }
}
