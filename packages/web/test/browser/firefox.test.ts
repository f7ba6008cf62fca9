/**
 * The page in Firefox, another implementation of WebGPU (wgpu, with naga) and of everything else. No driver: a script that is added to
 * the build uses the page and reports, which its policy allows to its own origin.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openInFirefox } from '../../../../scripts/browsers.mjs';
import { findFirefox, installFirefox } from '../../../../scripts/system-packages.mjs';
import { buildPage } from '../../../../scripts/web.mjs';
import { contentSecurityPolicy } from '../../policy.ts';

const skip = process.env.HRM_SKIP_BROWSER ? 'HRM_SKIP_BROWSER is set' : firefoxMissing();
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

function firefoxMissing(): string | undefined {
  if (findFirefox()) return undefined;
  try {
    return installFirefox((text) => console.error(text));
  } catch (error) {
    return (error as Error).message;
  }
}

/** What is done with the page; each step ends when its text is there. */
const STEPS = [
  { at: '#/solve?model=sudoku-4x4&puzzle=132..431.21.3142', text: 'Solved, and proven by the rules' },
  {
    at: '#/solve?model=sudoku-4x4&puzzle=132..431.21.3142',
    press: 'Look inside',
    text: 'Over 68 rows z_H fills',
  },
  {
    at: '#/solve?model=sudoku-4x4&puzzle=132..431.21.3142&guesses=4&select=vote',
    press: 'Think',
    text: 'was chosen, without looking at any solution',
  },
  {
    at: '#/train?steps=4&lr=0.004&batch=4&puzzles=40&evalEvery=4&heldOut=8',
    press: 'Start',
    text: 'Done. After step 4',
  },
  { at: '#/bench', press: 'matmul', text: 'matmul is done' },
];

/** Runs in the page. */
async function use(steps: typeof STEPS): Promise<void> {
  const failures: string[] = [];
  addEventListener('error', ({ message }) => failures.push(message));
  addEventListener('unhandledrejection', ({ reason }) => failures.push(String(reason)));
  addEventListener('securitypolicyviolation', ({ blockedURI }) => failures.push(`policy: ${blockedURI}`));
  const until = async <T>(find: () => T | undefined | false): Promise<T | undefined> => {
    for (const start = Date.now(); Date.now() - start < 60_000; ) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return undefined;
  };
  const seen: string[] = [];
  for (const { at, press, text } of steps) {
    location.hash = at;
    await new Promise((resolve) => setTimeout(resolve, 500)); // as a person needs to see what has changed
    if (press) {
      const button = await until(() =>
        [...document.querySelectorAll<HTMLElement>('button:enabled, summary')].find(({ innerText }) =>
          innerText.startsWith(press),
        ),
      );
      button?.click();
    }
    const found = await until(() => document.body.innerText.includes(text));
    if (!found) failures.push(`${at}: ${text} is not there, but:\n${document.body.innerText.slice(0, 1500)}`);
    else seen.push(text);
  }
  await fetch('report', { method: 'POST', body: JSON.stringify({ seen, failures }) });
}

describe.skipIf(skip)(`the page in Firefox${skip ? ` (${skip})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-page-firefox-'));
  let server: Server;
  let reported: Promise<{ seen: string[]; failures: string[] }>;
  let close: () => Promise<void>;

  beforeAll(async () => {
    await buildPage({ outDir: folder, logLevel: 'error' });
    writeFileSync(join(folder, 'probe.js'), `(${use})(${JSON.stringify(STEPS)});\n`);
    appendFileSync(join(folder, 'index.html'), '<script type="module" src="./probe.js"></script>');
    let report: (text: string) => void;
    reported = new Promise((resolve) => {
      report = (text) => resolve(JSON.parse(text));
    });
    server = createServer(async (request, response) => {
      const path = new URL(request.url as string, 'http://localhost').pathname;
      if (path === '/report') {
        let text = '';
        for await (const piece of request) text += piece;
        response.end();
        report(text);
        return;
      }
      const file = join(folder, path === '/' ? 'index.html' : path);
      const found = existsSync(file);
      response.writeHead(found ? 200 : 404, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': contentSecurityPolicy({ inPage: false }),
      });
      response.end(found ? readFileSync(file) : undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    close = openInFirefox(`http://localhost:${(server.address() as AddressInfo).port}/`);
  });
  afterAll(async () => {
    await close?.();
    server?.close();
    server?.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });

  it('solves, guesses, trains, looks inside and measures', { timeout: 400_000 }, async () => {
    const { seen, failures } = await reported;
    expect(failures).toEqual([]);
    expect(seen).toEqual(STEPS.map(({ text }) => text));
  });
});
