// Runs the bundled suite in one host; each resolves to the suite's report, or rejects with what went wrong.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium, openInFirefox } from '../browsers.mjs';

const fixtures = fileURLToPath(new URL('../../test/fixtures', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript' };
/** Chromium's own SwiftShader, for Dawn in Node. */
export const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** A program that prints its report as the last line of stdout. */
function fromProgram(program, words, env, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      errors = (errors + text).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code, killed) => {
      const last = out.trim().split('\n').at(-1);
      if (code === 0 && last?.startsWith('{')) resolve(JSON.parse(last));
      else reject(new Error(`ended with ${code ?? killed}: ${withoutDawn(errors) || out.slice(-500)}`));
    });
  });
}

const withoutDawn = (text) => text.replace(/^Warning: maxDynamic.*\n/gm, '').trim();

/** Serves the page of `folder` until it has reported; `show` opens its address and returns what closes it. */
async function fromPage(folder, suite, show, signal) {
  let report;
  const reported = new Promise((resolve, reject) => {
    report = (body) => (body.error ? reject(new Error(body.error)) : resolve(body));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const server = createServer(async (request, response) => {
    if (request.url === '/options') return response.end(JSON.stringify(suite));
    if (request.url === '/report') {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      response.end();
      return report(JSON.parse(Buffer.concat(pieces)));
    }
    const path = request.url === '/' ? '/index.html' : new URL(request.url, 'http://localhost').pathname;
    const file = path.startsWith('/fixtures/')
      ? join(fixtures, path.slice('/fixtures'.length))
      : join(folder, path);
    const data = await readFile(file).catch(() => undefined);
    response.writeHead(data ? 200 : 404, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    return response.end(data);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = await show(`http://localhost:${server.address().port}/`);
  try {
    return await reported;
  } finally {
    await close();
    server.close();
    server.closeAllConnections();
  }
}

/** Runs one of RUNS with its suite. */
export function runIn({ host, env = {}, dawn, swiftshader }, suite, { folder, deno, signal }) {
  const options = JSON.stringify({ fixtures, suite, dawn });
  switch (host) {
    case 'node': {
      const icd = swiftshader ? { VK_DRIVER_FILES: SWIFTSHADER } : {};
      return fromProgram(process.execPath, [join(folder, 'node.js'), options], { ...env, ...icd }, signal);
    }
    case 'deno': {
      const allow = ['--unstable-webgpu', '--allow-read', '--allow-env', '--allow-sys'];
      return fromProgram(deno, ['run', ...allow, join(folder, 'deno.js'), options], env, signal);
    }
    case 'firefox':
      return fromPage(folder, suite, async (url) => openInFirefox(url), signal);
    default:
      return fromPage(
        folder,
        suite,
        async (url) => {
          const browser = await launchChromium();
          await (await browser.newPage()).goto(url);
          return () => browser.close();
        },
        signal,
      );
  }
}
