import { afterEach, expect, it, vi } from 'vitest';
import { Interrupt, untilInterrupted } from '../../src/cli/interrupt.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type Name = keyof typeof SIGNALS;
const NAMES = Object.keys(SIGNALS) as Name[];

afterEach(() => vi.restoreAllMocks());

const listeners = () => NAMES.map((name) => process.listenerCount(name));

it.each(NAMES)('%s aborts what runs, which has the time to clean up', async (name) => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const before = listeners();
  let cleaned = false;
  const running = untilInterrupted(async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    cleaned = true;
    throw signal.reason;
  });
  process.emit(name);
  expect(await running).toBe(SIGNALS[name]);
  expect(cleaned).toBe(true);
  expect(stderr).toHaveBeenCalledWith('interrupted; nothing was written\n');
  expect(listeners()).toEqual(before);
});

it('keeps the result and the errors of what was not stopped by the signal', async () => {
  expect(await untilInterrupted(async () => 2)).toBe(2);
  const failure = new Error('on purpose');
  const failing = untilInterrupted(async () => {
    process.emit('SIGTERM');
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
});

it.each(NAMES)('a second signal, %s, ends the process at once', (name) => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => {
    throw new Error('the end');
  });
  const announce = vi.fn();
  const interrupt = new Interrupt(announce);
  try {
    process.emit('SIGTERM');
    expect(interrupt).toMatchObject({ exitCode: 143, signal: { aborted: true } });
    expect(exit).not.toHaveBeenCalled();
    expect(() => process.emit(name)).toThrow('the end');
    expect(exit).toHaveBeenCalledWith(SIGNALS[name]);
    expect(announce).toHaveBeenCalledOnce();
  } finally {
    interrupt.stop();
  }
});
