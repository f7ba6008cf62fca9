// The suite, bundled from the sources for each host.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const hosts = fileURLToPath(new URL('../../test/portability/hosts/', import.meta.url));

/** Writes `node.js`, `deno.js` and the page `index.html` to `out`. */
export async function bundleSuite(out) {
  await bundle(out, join(hosts, 'node.ts'), ['source', 'node', 'import', 'module', 'default'], {
    external: [/^node:/, 'webgpu'],
  });
  const browser = ['source', 'browser', 'import', 'module', 'default'];
  await bundle(out, join(hosts, 'deno.ts'), browser);
  await bundle(out, join(hosts, 'index.html'), browser);
}

async function bundle(out, input, conditions, { external = [] } = {}) {
  const forNode = external.length > 0;
  await build({
    root: hosts,
    configFile: false,
    logLevel: 'error',
    resolve: { conditions },
    ...(forNode ? { ssr: { noExternal: true, resolve: { conditions } } } : {}),
    build: {
      outDir: out,
      emptyOutDir: false,
      target: 'es2022',
      minify: false,
      ssr: forNode,
      modulePreload: false,
      rollupOptions: {
        input,
        external,
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
}
