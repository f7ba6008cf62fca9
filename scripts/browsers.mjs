// Browsers for tests, headless, with WebGPU on a software adapter; they talk to nobody but the tests' servers.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium, findFirefox } from './system-packages.mjs';

/** WebGPU on SwiftShader. */
const CHROMIUM_FLAGS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--no-proxy-server',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
  '--disable-sync',
  '--disable-domain-reliability',
  '--no-pings',
];

/** How Playwright starts Chromium. */
export function chromiumLaunchOptions() {
  const isRoot = process.getuid?.() === 0; // for whom Chromium refuses to start its sandbox
  const args = isRoot ? [...CHROMIUM_FLAGS, '--no-sandbox'] : CHROMIUM_FLAGS;
  return { executablePath: findChromium(), args, timeout: 15_000 };
}

/** Chromium, to be closed by the caller. */
export function launchChromium() {
  const options = chromiumLaunchOptions();
  if (options.executablePath) return chromium.launch(options);
  throw new Error(
    'No Chromium for the browser tests. Run `npm run setup`, which installs it, or set CHROMIUM_PATH; ' +
      'HRM_SKIP_BROWSER=1 leaves these tests out.',
  );
}

/** WebGPU on whatever adapter there is, lavapipe too; no updates, no telemetry, no first-run pages. */
const FIREFOX_PREFERENCES = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'gfx.webgpu.force-enabled': true,
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'services.settings.server': '',
};

/** Opens a page in Firefox, in a fresh profile; the page must tell what it found by itself. Returns what closes it. */
export function openInFirefox(url) {
  const firefox = findFirefox();
  if (!firefox) throw new Error('there is no Firefox here');
  const profile = mkdtempSync(join(tmpdir(), 'hrm-firefox-'));
  const lines = Object.entries(FIREFOX_PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const words = ['--headless', '--no-remote', '--profile', profile, url];
  const child = spawn(firefox, words, {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, HOME: profile },
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  return async () => {
    try {
      process.kill(-child.pid, 'SIGKILL'); // its content processes too
    } catch {} // it is gone already
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
}
