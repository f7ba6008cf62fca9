import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';
import type { TimeFirstCall } from './train-step.ts';

/** Times the first call in a new process; Mesa's drivers then have no compiled shader to fall back on. */
export const timeFirstCall: TimeFirstCall = ({ shaders = new Map() }, note) => {
  note('first call in a new process…');
  const script = fileURLToPath(new URL('./first-call.js', import.meta.url));
  const env = { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true' };
  const input = JSON.stringify([...shaders]);
  const child = spawnSync(process.execPath, [script], { env, input, encoding: 'utf8', timeout: 300_000 });
  const seconds = Number(child.stdout.trim());
  if (child.status !== 0 || !(seconds > 0)) {
    throw new UserError(`the first call failed in its process:\n${child.stderr.trim().slice(-2000)}`);
  }
  return { name: 'first call, hidden 128, batch 16', seconds };
};
