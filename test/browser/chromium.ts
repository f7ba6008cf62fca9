/** Chromium for tests: WebGPU on SwiftShader, which needs no GPU. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/system-packages.mjs';

/** WebGPU on SwiftShader, and a browser that talks to nobody but the test's server. */
const CHROMIUM_FLAGS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
  '--disable-sync',
  '--disable-domain-reliability',
  '--no-pings',
];

/** Set-up leaves the reason here where this system has no Chromium to install. */
const NO_BROWSER = fileURLToPath(new URL('../../node_modules/.hrm-no-browser', import.meta.url));

/** Why nothing can be run in a browser here; undefined where it can. */
export function reasonToSkip(): string | undefined {
  if (process.env.HRM_SKIP_BROWSER) return 'HRM_SKIP_BROWSER is set: nothing was run in a browser';
  if (!findChromium() && existsSync(NO_BROWSER)) return readFileSync(NO_BROWSER, 'utf8');
  return undefined;
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) {
    throw new Error(
      'No Chromium for the browser tests. Run `npm run setup`, which installs it, or set CHROMIUM_PATH; ' +
        'HRM_SKIP_BROWSER=1 leaves these tests out.',
    );
  }
  const isRoot = process.getuid?.() === 0; // for whom Chromium refuses to start its sandbox
  const args = isRoot ? [...CHROMIUM_FLAGS, '--no-sandbox'] : CHROMIUM_FLAGS;
  return chromium.launch({ executablePath, args, timeout: 15_000 });
}

/** Errors of a page that nothing waits for. */
export function collectFailures(page: Page): string[] {
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') failures.push(message.text());
  });
  return failures;
}
