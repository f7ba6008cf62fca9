#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  const { captureDriverOutput, endWithOutput } = await import('@hrm-webgpu/core/node');
  endWithOutput();
  captureDriverOutput();
  process.exitCode = await (await import(main)).main(process.argv.slice(2));
} else {
  console.error('bench: not built yet. Run: npm run build');
  process.exitCode = 1;
}
