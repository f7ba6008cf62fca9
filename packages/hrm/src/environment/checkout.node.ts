/** Whether this is a checkout of the repository or an installed package. Node only. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** From `src/environment` and `dist/environment` of packages/hrm alike. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));

export const inCheckout = existsSync(`${root}scripts/packages.mjs`) && existsSync(`${root}shaders`);
