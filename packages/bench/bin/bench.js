#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A reader that goes away (`| head`) ends output quietly.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 141 : 1));

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { captureDriverOutput } = await import('@hrm-webgpu/core/node');
  captureDriverOutput();
  process.exitCode = await (await import(main)).main(process.argv.slice(2));
} else {
  console.error('bench: not built yet. Run: npm run build');
  process.exitCode = 1;
}
