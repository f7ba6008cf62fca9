// Makes a fresh clone ready: npm packages, a build, a WebGPU adapter, and (--browser) Chromium for the browser
// tests. Does only what is missing; says what it does; quiet and quick when there is nothing to do.
//
//   --quiet        print nothing when all is in place
//   --no-adapter   do not look for an adapter (for `npm run doctor`, which reports on it)
//   --browser      Chromium too
//   --system-only  only the system packages: the part that needs root
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, installChromium, installLavapipe, SetupError } from './system-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const options = new Set(process.argv.slice(2));
const say = (text) => console.error(`setup: ${text}`);

function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new SetupError(`Node ${process.versions.node} is too old; install Node 20 or later.`);
}

/** `npm ci` when package-lock.json is not the one that node_modules was made from. */
function installPackages() {
  const marker = join(root, 'node_modules/.hrm-setup');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  say('installing npm packages (npm ci)…');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (npm.error || npm.status !== 0) {
    throw new SetupError(`npm ci failed:\n${npm.error?.message ?? npm.stderr.trim()}`);
  }
  writeFileSync(marker, wanted);
}

async function build() {
  const { embedShaders, compile } = await import('./build.mjs');
  embedShaders();
  if (compile() !== 0) throw new SetupError('the build failed (see above).');
}

/** The name of the adapter that Dawn finds now, or undefined; `reason` is what was said about its absence. */
function probeAdapter(...flags) {
  const script = join(root, 'scripts/probe-adapter.mjs');
  const probe = spawnSync(process.execPath, [script, ...flags], { encoding: 'utf8' });
  return { adapter: probe.status === 0 ? probe.stdout.trim() : undefined, reason: probe.stderr.trim() };
}

function ensureAdapter() {
  const found = probeAdapter('--no-fallback');
  if (found.adapter) return found.adapter;
  say('no WebGPU adapter found on this machine.');
  try {
    for (const attempt of installLavapipe(say)) {
      say(attempt);
      const { adapter } = probeAdapter('--no-fallback');
      if (adapter) return adapter;
    }
    throw new SetupError(`still no WebGPU adapter.\n${found.reason}`);
  } catch (error) {
    const { adapter } = probeAdapter();
    if (!adapter || !(error instanceof SetupError)) throw error;
    say(
      `${error.message}\nGoing on with ${adapter}, the software adapter of Chromium: it works, and is slow.`,
    );
    return adapter;
  }
}

/** Finds or installs Chromium; where there is none to be had, notes why for the browser tests, which are then skipped. */
function ensureChromium() {
  const note = join(root, 'node_modules/.hrm-no-browser');
  const reason = process.env.HRM_SKIP_BROWSER || findChromium() ? undefined : installChromium(say);
  if (!reason) return rmSync(note, { force: true });
  say(`the browser tests will be skipped: ${reason}.`);
  writeFileSync(note, reason);
}

try {
  requireNode();
  if (options.has('--system-only')) {
    say(`adapter: ${ensureAdapter()}`);
    if (options.has('--browser')) ensureChromium();
  } else {
    installPackages();
    await build();
    if (!options.has('--no-adapter')) {
      const adapter = ensureAdapter();
      if (!options.has('--quiet')) say(`adapter: ${adapter}`);
    }
    if (options.has('--browser')) ensureChromium();
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
