// The page (packages/web): builds it, or serves what is built, with the headers that it should be served with, and builds anew
// when a file changes.
//
//   --build      only build, into packages/web/dist
//   --port N     where to serve (default 4173; the next free one where that is taken)
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, preview } from 'vite';

const root = fileURLToPath(new URL('../packages/web/', import.meta.url));

/** Builds the page once; `watch` goes on building, and the caller closes what it returns. */
export async function buildPage({ watch = false, outDir = 'dist', logLevel = 'warn' } = {}) {
  const options = { outDir, emptyOutDir: true, ...(watch && { watch: {} }) };
  const { NODE_ENV } = process.env; // tests have their own, and would get another page
  process.env.NODE_ENV = 'production';
  try {
    return await build({ root, configFile: `${root}vite.config.ts`, logLevel, build: options });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

/** Serves what has been built, as a static server would; resolves to its address and what closes it. */
export async function servePage({ port = 4173, outDir = 'dist', base = './' } = {}) {
  const server = await preview({
    ...{ root, base, configFile: `${root}vite.config.ts`, logLevel: 'warn' },
    ...{ build: { outDir }, preview: { port, host: '127.0.0.1' } },
  });
  const { port: taken } = server.httpServer.address();
  return { url: `http://localhost:${taken}/`, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { build: { type: 'boolean' }, port: { type: 'string', default: '4173' } },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    console.error(`web: --port ${values.port}: expected a whole number up to 65535`);
    process.exit(1);
  }
  if (values.build) {
    await buildPage({ logLevel: 'info' });
  } else {
    const watcher = await buildPage({ watch: true });
    await new Promise((resolve) => {
      watcher.on('event', ({ code, error }) => {
        if (error) console.error(`web: ${error.message}`);
        if (code === 'END') resolve();
      });
    });
    const { url } = await servePage({ port });
    console.log(
      `The page is at ${url} (localhost alone). It is built anew when a file changes: reload it then. Ctrl-C ends this.`,
    );
  }
}
