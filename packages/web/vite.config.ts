/** The page as static files that any server can offer, under any path. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { compactShaders } from '../../scripts/compact-shaders.mjs';
import { contentSecurityPolicy } from './policy.ts';

/** The policy stands in the page itself, for servers that send none. */
const policyInPage: Plugin = {
  name: 'content-security-policy',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => ({
      html,
      tags: [
        {
          tag: 'meta',
          attrs: {
            'http-equiv': 'Content-Security-Policy',
            content: contentSecurityPolicy({ inPage: true }),
          },
          injectTo: 'head-prepend',
        },
      ],
    }),
  },
};

/** Writes the service worker, which holds the names of all files of this build. */
const offline: Plugin = {
  name: 'offline',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      const files = ['./', ...Object.keys(bundle).filter((name) => name !== 'index.html'), 'icon.svg'].sort();
      const page = bundle['index.html'];
      const contents = JSON.stringify(files) + (page?.type === 'asset' ? page.source : '');
      const version = createHash('sha256').update(contents).digest('hex').slice(0, 12);
      const source = readFileSync(new URL('service-worker.js', import.meta.url), 'utf8')
        .replace('__FILES__', JSON.stringify(files))
        .replace('__VERSION__', version);
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  },
};

/** Shaders as the packages have them; the page tunes. */
const shaders: Plugin = {
  name: 'compact-shaders',
  apply: 'build',
  transform: (code, id) =>
    id.endsWith('shaders.gen.js') ? { code: compactShaders(code, true), map: null } : undefined,
};

export default defineConfig({
  base: './',
  plugins: [policyInPage, offline, shaders],
  resolve: { conditions: ['browser', 'module', 'import', 'default'] },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  worker: { format: 'es', plugins: () => [shaders] },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  preview: { headers: { 'Content-Security-Policy': contentSecurityPolicy({ inPage: false }) } },
});
