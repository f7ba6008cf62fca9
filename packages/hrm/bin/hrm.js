#!/usr/bin/env node
// Checked in as JavaScript: npm links a workspace's bin before anything is built.
import { existsSync } from 'node:fs';

const entry = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(entry)) {
  console.error('error: hrm is not built yet; run `npm run setup` at the root of the checkout.');
  process.exit(1);
}
const { captureDriverOutput, endWithOutput } = await import('@hrm-webgpu/core/node');
endWithOutput();
captureDriverOutput();
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));
