// Tries readers of files with inputs that somebody might have made to break them:
//
//   node test/fuzz/fuzz.mjs [TARGET…] [--count N] [--seed S] [--state FILE] [--out DIR]
//
//   --count N     inputs for each target (default 10,000)
//   --seed S      the same seed makes the same inputs
//   --state FILE  goes on where an earlier run with the same seed was stopped
//   --out DIR     where inputs go that break something (default fuzz-failures)
//
// Each target runs in a process of its own, which is begun anew, behind the input that ended it, when it crashes or hangs. Exit code 1
// when anything breaks.
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** Without news of an input for so long a process hangs. */
const HANG_MS = Number(process.env.FUZZ_HANG_MS ?? 20_000);

const { values, positionals } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    state: { type: 'string' },
    out: { type: 'string', default: 'fuzz-failures' },
  },
  allowPositionals: true,
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const { TARGETS, targetOf } = await import('./targets.mjs');
const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
for (const name of names)
  if (!targetOf(name)) throw new Error(`no target ${name}: ${Object.keys(TARGETS).join(', ')}`);

const state = values.state && existsSync(values.state) ? JSON.parse(readFileSync(values.state, 'utf8')) : {};
const save = () => values.state && writeFileSync(values.state, JSON.stringify(state));

let failures = 0;
function fail(name, index, { problem, input }) {
  failures++;
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, `${name}-${seed}-${index}`);
  if (input) writeFileSync(file, Buffer.from(input, 'base64'));
  writeFileSync(`${file}.txt`, `${problem}\n`);
  console.log(`${name}, input ${index}: ${problem.split('\n')[0]}  (${file})`);
}

/** A process that tries inputs from one up to another. */
const begin = (name, from, until) =>
  fork(WORKER, [name, String(seed), String(from), String(until)], {
    execArgv: ['--max-old-space-size=512'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });

/** Tries inputs from one on; resolves to the next to be tried, behind one that ended the process. */
function run(name, from) {
  return new Promise((resolve) => {
    const child = begin(name, from, count);
    let [at, said] = [from, ''];
    child.stderr.on('data', (text) => {
      said = (said + text).slice(-2000);
    });
    const watch = () => setTimeout(() => child.kill('SIGKILL'), HANG_MS);
    let timer = watch();
    child.on('message', (message) => {
      clearTimeout(timer);
      timer = watch();
      at = message.at;
      if (message.problem) fail(name, message.at, message);
      state[name] = { at: message.at + 1, refused: message.refused };
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(count);
      // It tells of every hundredth input: which of the next ended it, it is asked one by one.
      resolve({
        from: at,
        until: Math.min(count, at + 101),
        why: `the process ended (${signal ?? code}) ${said.trim().split('\n').at(-1) ?? ''}`,
      });
    });
  });
}

async function one(name, index) {
  return new Promise((resolve) => {
    const child = begin(name, index, index + 1);
    const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
    child.stderr.resume();
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : `the process ended (${signal ?? code})`);
    });
  });
}

for (const name of names) {
  const start = performance.now();
  let at = state[name]?.at ?? 0;
  const begun = at;
  while (at < count) {
    const ended = await run(name, at);
    if (ended === count) break;
    let found = false;
    for (let index = ended.from; index < ended.until; index++) {
      const why = await one(name, index);
      if (!why) continue;
      fail(name, index, { problem: why });
      found = true;
      at = index + 1;
      break;
    }
    if (!found) {
      fail(name, ended.from, {
        problem: `${ended.why}, and not again with any of the inputs ${ended.from} to ${ended.until - 1} alone`,
      });
      at = ended.until;
    }
    save();
  }
  state[name] = { ...state[name], at: count };
  save();
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${name}: ${count - begun} inputs, ${state[name].refused ?? 0} refused, ${seconds.toFixed(0)} s`,
  );
}
console.log(failures === 0 ? 'nothing broke' : `${failures} inputs broke something`);
process.exit(failures === 0 ? 0 : 1);
