/** Chromium for tests: WebGPU on SwiftShader, which needs no GPU. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { findChromium } from '../../scripts/system-packages.mjs';

export { launchChromium } from '../../scripts/browsers.mjs';

/** Set-up leaves the reason here where this system has no Chromium to install. */
const NO_BROWSER = fileURLToPath(new URL('../../node_modules/.hrm-no-browser', import.meta.url));

/** Why nothing can be run in a browser here; undefined where it can. */
export function reasonToSkip(): string | undefined {
  if (process.env.HRM_SKIP_BROWSER) return 'HRM_SKIP_BROWSER is set: nothing was run in a browser';
  if (!findChromium() && existsSync(NO_BROWSER)) return readFileSync(NO_BROWSER, 'utf8');
  return undefined;
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
