/** What the command is called, in a checkout of the repository and as an installed package. Node only. */
import { inCheckout } from 'hrm-webgpu/node';

/** How the command line is begun. */
export const COMMAND = inCheckout ? 'npm run -s bench --' : 'npx hrm-webgpu-bench';
