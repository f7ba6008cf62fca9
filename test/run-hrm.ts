import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../packages/hrm/bin/hrm.js', import.meta.url));

export interface HrmResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface HrmOptions {
  env?: NodeJS.ProcessEnv;
  /** What it reads on standard input; nothing unless given. */
  input?: string;
  /** Called with each piece of stderr; may send signals. */
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Called once the process runs; may send signals. */
  onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs the built `hrm` command to its end. */
export function hrm(args: string[], { env, input, onStderr, onStart }: HrmOptions = {}): Promise<HrmResult> {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {}); // who ends early does not read it
  child.stdin.end(input);
  onStart?.((signal) => child.kill(signal));
  const result: HrmResult = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    result.stdout += data;
  });
  child.stderr.on('data', (data) => {
    result.stderr += data;
    onStderr?.(String(data), (signal) => child.kill(signal));
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ ...result, code })));
}
