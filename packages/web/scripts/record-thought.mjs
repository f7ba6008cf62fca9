// Records the thought that the page shows where there is no GPU, on this machine's adapter:
//
//   node packages/web/scripts/record-thought.mjs
//
// writes packages/web/src/recording/sudoku-6x6.json. test/recording.test.ts holds it to what the model gives.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Digits that are kept of a number. */
const DIGITS = 6;

const { module } = await runnerImport(path('src/recording/record.ts'), {
  configFile: false,
  logLevel: 'error',
});
const recording = await module.recordThought((file) => readFile(path(`models/${file}`)));
const rounded = (_, value) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value;
const file = path('src/recording/sudoku-6x6.json');
await writeFile(file, `${JSON.stringify(recording, rounded)}\n`);
console.log(`${file}: ${recording.segments.length} segments on ${recording.adapter}`);
