/** What becomes of a command whose output nobody takes. Node only. */

const MEANINGS: Record<string, string> = {
  ENOSPC: 'no space left on the device. Free some space, or write it elsewhere',
  EDQUOT: 'the disk quota is used up. Free some space, or write it elsewhere',
  EIO: 'the device reported an input/output error',
};

/**
 * For commands, in a process of their own: where a reader goes away (`| head`) the process ends quietly, and where output cannot be
 * written it says why; progress that nobody reads stops nothing.
 */
export function endWithOutput(): void {
  process.stdout.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(141); // as a shell counts SIGPIPE
    process.stderr.write(`error: cannot write the output: ${MEANINGS[code] ?? message}\n`);
    process.exit(1);
  });
  process.stderr.on('error', () => {});
}
