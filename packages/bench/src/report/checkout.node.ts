/** Whether this is a checkout of the repository or an installed package, and what the command is called there. Node only. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** From `src/report` and `dist/report` of packages/bench alike. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));

export const inCheckout = existsSync(`${root}scripts/packages.mjs`) && existsSync(`${root}shaders`);

/** How the command line is begun. */
export const COMMAND = inCheckout ? 'npm run -s bench --' : 'npx hrm-webgpu-bench';
