/** wgpu's compiler, naga, in Deno: what Firefox and many native programs compile WGSL with. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Of the checkout's tools, which `npm run portability` installs. */
const DENO = fileURLToPath(
  new URL(
    `../../../../../tools/node_modules/deno/${process.platform === 'win32' ? 'deno.exe' : 'deno'}`,
    import.meta.url,
  ),
);

export const hasNaga = () => existsSync(DENO);

/** Compiles every text that it reads; prints what is wrong with the first that has something wrong. */
const SCRIPT = `
const texts = JSON.parse(await new Response(Deno.stdin.readable).text());
const adapter = await navigator.gpu.requestAdapter();
const enables = { subgroups: /^enable subgroups/m, 'shader-f16': /^enable f16/m };
const requiredFeatures = Object.keys(enables).filter((feature) => adapter.features.has(feature));
const skipped = Object.keys(enables).find(
  (feature) => !adapter.features.has(feature) && texts.some((text) => enables[feature].test(text)),
);
if (skipped) {
  console.log(JSON.stringify({ skipped: 'it has no ' + skipped + ' here' }));
  Deno.exit(0);
}
const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxComputeWorkgroupStorageSize } = adapter.limits;
const requiredLimits = { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxComputeWorkgroupStorageSize };
const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
let problem;
for (const code of texts) {
  device.pushErrorScope('validation');
  device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  problem ??= (await device.popErrorScope())?.message;
}
console.log(JSON.stringify({ problem }));
Deno.exit(0);
`;

/**
 * What naga says of the first of these texts that it refuses, or why it cannot be asked; neither where it takes all.
 *
 * @throws Error when Deno does not answer
 */
export function nagaVerdict(
  texts: readonly string[],
  signal: AbortSignal,
): Promise<{ problem?: string; skipped?: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(DENO, ['eval', '--unstable-webgpu', SCRIPT], { signal });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('error', reject);
    child.on('close', () => {
      const answer = out.trim().split('\n').at(-1);
      if (answer) resolve(JSON.parse(answer));
      else reject(new Error(`deno: ${errors.trim().slice(-500)}`));
    });
    child.stdin.on('error', () => {}); // it has ended early, which `close` tells
    child.stdin.end(JSON.stringify(texts));
  });
}
