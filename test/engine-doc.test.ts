/** docs/engine.md: every block of it, as it stands, in Node and, but for what is Node's, in Chromium. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROWSER_CONDITIONS } from '../scripts/packages.mjs';
import { collectFailures, launchChromium, reasonToSkip } from './browser/chromium.ts';

const doc = readFileSync(new URL('../docs/engine.md', import.meta.url), 'utf8');
/** Within the checkout, where the packages are found. */
const folder = fileURLToPath(new URL('../build/engine-doc', import.meta.url));

interface Program {
  name: string;
  code: string;
  /** Lines that it prints; `…` stands for anything. */
  prints: string[];
}

/** The programs of the document: a block that begins with an import begins one. */
function programs(): Program[] {
  const found: Program[] = [];
  for (const [, heading, language, code] of doc.matchAll(/^## (.*)$|^```(\w*)\n([\s\S]*?)^```$/gm)) {
    if (heading) {
      found.push({ name: heading, code: '', prints: [] });
      continue;
    }
    if (language !== 'js') throw new Error(`docs/engine.md: a block of '${language}', which nothing runs`);
    const program = found[found.length - 1];
    if (code.startsWith('import ') !== (program.code === ''))
      throw new Error(`docs/engine.md, ${program.name}: its first block, and no other, begins with imports`);
    program.code += code;
    program.prints.push(...[...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line));
  }
  return found.filter(({ code }) => code);
}

const all = programs();
const fileOf = ({ name }: Program) => `${name.toLowerCase().replace(/\W+/g, '-')}.mjs`;

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const program of all) writeFileSync(join(folder, fileOf(program)), program.code);
});
afterAll(() => rmSync(folder, { recursive: true }));

function expectLines(printed: readonly string[], { prints }: Program): void {
  const pattern = (line: string) =>
    line
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*');
  expect(printed.length, printed.join('\n')).toBe(prints.length);
  prints.forEach((line, i) => {
    expect(printed[i]).toMatch(new RegExp(`^${pattern(line)}$`));
  });
}

it('has the programs that it should, and each prints something', () => {
  expect(all).toHaveLength(9);
  for (const { name, prints } of all) expect(prints.length, name).toBeGreaterThan(0);
});

it.each(all)('$name, in Node', async (program) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, fileOf(program))]);
  expectLines(stdout.trimEnd().split('\n'), program);
});

const skip = reasonToSkip();
describe('in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser;
  let server: PreviewServer;
  beforeAll(async () => {
    if (skip) return console.warn(`skipped: ${skip}`);
    for (const program of all)
      writeFileSync(
        join(folder, `${fileOf(program)}.html`),
        `<link rel="icon" href="data:,"><script type="module" src="./${fileOf(program)}"></script>`,
      );
    const config = {
      configFile: false as const,
      logLevel: 'error' as const,
      root: folder,
      resolve: { conditions: BROWSER_CONDITIONS },
      build: {
        target: 'es2022',
        rollupOptions: { input: all.map((program) => join(folder, `${fileOf(program)}.html`)) },
      },
    };
    await build(config);
    server = await preview({ ...config, preview: { port: 0 } });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it.for(all)('$name', async (program, context) => {
    if (skip) context.skip(skip);
    const page = await browser.newPage();
    const failures = collectFailures(page);
    const printed: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'log') printed.push(message.text());
    });
    await page.goto(`${server.resolvedUrls?.local[0]}${fileOf(program)}.html`);
    await expect
      .poll(() => Math.max(printed.length, 1000 * failures.length), { timeout: 50_000 })
      .toBe(program.prints.length);
    expect(failures).toEqual([]);
    expectLines(printed, program);
    await page.close();
  });
});
