#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/lab/main.js', import.meta.url);
if (existsSync(main)) {
  const { captureDriverOutput, endWithOutput } = await import('@hrm-webgpu/core/node');
  endWithOutput();
  captureDriverOutput();
  const lab = await import(main).catch((error) => {
    // A definition that throws, for example: what it says, and where.
    const [said, place = ''] = String(error.stack ?? error).split('\n');
    console.error(`lab: does not start: ${said} ${place.trim()}`);
    process.exit(1);
  });
  process.exitCode = await lab.main(process.argv.slice(2));
} else {
  console.error('lab: not built yet. Run: npm run build');
  process.exitCode = 1;
}
