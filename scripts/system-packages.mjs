// The parts of set-up that need root: Mesa's lavapipe and Chromium, by apt, on Debian and Ubuntu.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A mistake or lack that set-up explains in one message, without a stack trace. */
export class SetupError extends Error {}

/** Dawn refuses older Mesa («shaderUniform*ArrayDynamicIndexing required»): 22.3 is too old, 25.0 works. */
const OLDEST_MESA = 23;
const ADAPTER_PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];
const APT_FOLDER = '/etc/apt';

const chromiumCandidates = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a Chromium for the browser tests, or undefined. */
export function findChromium() {
  return chromiumCandidates.find((path) => path && existsSync(path));
}

/**
 * Installs Chromium by apt. Returns undefined, or why this release has none to install (Ubuntu ships it as a snap
 * only, which containers and servers without snapd cannot run).
 */
export function installChromium(say) {
  requireApt('Chromium (for the browser tests)', 'or set CHROMIUM_PATH, or HRM_SKIP_BROWSER=1');
  const release = readRelease();
  if (release.ID === 'ubuntu' || !candidateVersion('chromium')) {
    return `${release.PRETTY_NAME} has no Chromium among its apt packages; install Google Chrome or set CHROMIUM_PATH`;
  }
  say('installing Chromium (apt-get install chromium)…');
  aptInstall(['chromium']);
  if (!findChromium())
    throw new SetupError('apt installed chromium, but no browser is at /usr/bin/chromium.');
  return undefined;
}

/** Path of a Firefox for the portability checks, or undefined. */
export function findFirefox() {
  return [process.env.FIREFOX_PATH, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
    (path) => path && existsSync(path),
  );
}

/** Installs Firefox by apt. Returns undefined, or why this release has none to install. */
export function installFirefox(say) {
  requireApt('Firefox (for the portability checks)', 'or set FIREFOX_PATH');
  if (!candidateVersion('firefox-esr'))
    return `${readRelease().PRETTY_NAME} has no firefox-esr among its apt packages; set FIREFOX_PATH`;
  say('installing Firefox (apt-get install firefox-esr)…');
  aptInstall(['firefox-esr']);
  return undefined;
}

/**
 * Installs lavapipe, from the release itself if its Mesa is new enough, and then from backports. Yields a line
 * after each attempt, for the caller to look whether there is an adapter now.
 */
export function* installLavapipe(say) {
  requireApt('a software WebGPU adapter (Mesa lavapipe)');
  apt(['update', '-q'], 'apt-get update');
  const release = readRelease();
  const own = mesaVersion();
  if (own && Number.parseInt(own, 10) >= OLDEST_MESA) {
    say(`installing ${ADAPTER_PACKAGES.join(', ')} (Mesa ${own}) by apt…`);
    aptInstall(ADAPTER_PACKAGES);
    yield `installed Mesa ${own}.`;
  }
  const suite = `${release.VERSION_CODENAME}-backports`;
  const file = addBackports(release.VERSION_CODENAME, suite);
  if (file)
    say(`Mesa ${own ?? '(none)'} of ${release.PRETTY_NAME} is too old; added the ${suite} suite: ${file}`);
  if (file) apt(['update', '-q'], 'apt-get update');
  const backported = mesaVersion(suite);
  say(`installing ${ADAPTER_PACKAGES.join(', ')} (Mesa ${backported ?? 'unknown'}) from ${suite} by apt…`);
  aptInstall(['-t', suite, ...ADAPTER_PACKAGES]);
  yield `installed Mesa ${backported} from ${suite}.`;
  if (!findChromium() && !installChromium(say)) {
    yield 'installed Chromium, whose SwiftShader is a (slower) software adapter.';
  }
}

function requireApt(what, otherwise = 'or install a Vulkan driver yourself') {
  const release = readRelease();
  const debian = `${release.ID ?? ''} ${release.ID_LIKE ?? ''}`.match(/debian|ubuntu/);
  if (process.platform !== 'linux' || !debian || !existsSync('/usr/bin/apt-get')) {
    throw new SetupError(
      `${what} is missing and can be installed by itself only on Debian or Ubuntu; ${otherwise}.`,
    );
  }
  if (process.getuid() !== 0) {
    const script = fileURLToPath(new URL('setup.mjs', import.meta.url));
    const flags = process.argv.includes('--browser') ? '--system-only --browser' : '--system-only';
    const command = `sudo '${process.execPath}' '${script}' ${flags}`;
    throw new SetupError(
      `${what} is missing and installing it needs root. Run this once (${otherwise}):\n  ${command}`,
    );
  }
}

function readRelease() {
  if (!existsSync('/etc/os-release')) return {};
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
  return Object.fromEntries(lines.filter((l) => l.includes('=')).map((l) => [l.split('=')[0], unquote(l)]));
}

const unquote = (line) => line.slice(line.indexOf('=') + 1).replace(/^"|"$/g, '');

/** Version of Mesa's Vulkan drivers that apt would install (from `suite`), or undefined. */
const mesaVersion = (suite) => candidateVersion(ADAPTER_PACKAGES[0], suite);

/** Version of a package that apt would install (from `suite`), or undefined. */
function candidateVersion(name, suite) {
  const policy = spawnSync('apt-cache', ['policy', ...(suite ? ['-t', suite] : []), name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const version = policy.stdout?.match(/Candidate: (\S+)/)?.[1];
  return version === '(none)' ? undefined : version;
}

/**
 * Adds the backports suite next to the sources already configured: same URIs, same key, other suite. Returns the
 * file written, or undefined when the suite is configured already.
 */
function addBackports(codename, suite) {
  const sources = readAptSources();
  if (sources.some((source) => source.suites.includes(suite))) return undefined;
  const base = sources.find(
    (source) => source.suites.includes(codename) && source.components.includes('main'),
  );
  if (!base) {
    throw new SetupError(
      `no apt source for the suite '${codename}' is configured, so the ${suite} source cannot be derived from it. ` +
        `Add ${suite} to your apt sources and run this again.`,
    );
  }
  const file = join(APT_FOLDER, 'sources.list.d/hrm-webgpu-backports.sources');
  const key = base.signedBy ? `Signed-By: ${base.signedBy}\n` : '';
  writeFileSync(file, `Types: deb\nURIs: ${base.uris.join(' ')}\nSuites: ${suite}\nComponents: main\n${key}`);
  return file;
}

/** The binary sources that apt is configured with, from one-line and deb822 files. */
function readAptSources() {
  const folder = join(APT_FOLDER, 'sources.list.d');
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const oneLine = [join(APT_FOLDER, 'sources.list'), ...files.filter((path) => path.endsWith('.list'))];
  return [
    ...oneLine.flatMap((path) => read(path).split('\n').map(parseOneLine)),
    ...files
      .filter((path) => path.endsWith('.sources'))
      .flatMap((path) =>
        read(path)
          .split(/\n\s*\n/)
          .map(parseDeb822),
      ),
  ].filter((source) => source?.uris.length);
}

function parseOneLine(line) {
  const match = line.match(/^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/);
  if (!match) return undefined;
  const [, flags = '', uri, suite, components] = match;
  const signedBy = flags.match(/signed-by=(\S+)/)?.[1];
  return { uris: [uri], suites: [suite], components: components.split(/\s+/), signedBy };
}

function parseDeb822(paragraph) {
  const fields = {};
  for (const line of paragraph.split('\n').filter((text) => /^[A-Za-z-]+:/.test(text))) {
    fields[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 1).trim();
  }
  if (!fields.types?.split(/\s+/).includes('deb') || fields.enabled === 'no') return undefined;
  const list = (text) => (text ? text.split(/\s+/) : []);
  return {
    uris: list(fields.uris),
    suites: list(fields.suites),
    components: list(fields.components),
    signedBy: fields['signed-by'],
  };
}

const aptInstall = (words) =>
  apt(['install', '-y', '-q', '--no-install-recommends', ...words], `apt-get install ${words.join(' ')}`);

function apt(words, what) {
  const run = spawnSync('apt-get', words, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  if (run.status !== 0) {
    const said = `${run.stdout ?? ''}\n${run.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n');
    throw new SetupError(`${what} failed:\n${run.error?.message ?? said}`);
  }
}
