/** Kills, signals, damage, full disks, clocks and other processes, at random moments of training runs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DisturbedRun, expectEnd, expectNoCrash, IS_SOAK, Soak } from './disturbed-run.ts';

/** How often each fault is met: in `npm run soak`, and of it in `npm test`. */
const COUNT = IS_SOAK
  ? { kills: 200, interrupts: 50, damages: 50, disks: 20, pairs: 20, clocks: 10 }
  : { kills: 3, interrupts: 1, damages: 1, disks: 1, pairs: 1, clocks: 1 };
const PER_ROUND_MS = 60_000;

const soak = new Soak(14);
const { random } = soak;
beforeAll(() => soak.prepare(), PER_ROUND_MS);
afterAll(() => soak.dispose());

const say = (text: string) => console.log(text);

/** Disturbs runs until there were so many disturbances; each run goes on to its end, and is as an undisturbed one. */
async function disturb(count: number, round: (run: DisturbedRun) => Promise<boolean>): Promise<number> {
  let [done, runs] = [0, 0];
  while (done < count) {
    const run = soak.begin();
    for (let rounds = 0; done < count && !run.isDone && rounds < 12; rounds++)
      if (await round(run)) done += 1;
    expectEnd(await run.go()); // also one that is through: its last evaluation may be missing
    soak.end(run);
    runs += 1;
  }
  return runs;
}

/** By up to six days, to and fro. */
const JUMPING_CLOCK = `
  const now = Date.now;
  let jump = 0;
  setInterval(() => { jump = (Math.random() - 0.5) * 1e9; }, 30).unref();
  Date.now = () => Math.floor(now() + jump);
  globalThis.Date = new Proxy(Date, {
    construct: (original, all) => (all.length > 0 ? new original(...all) : new original(original.now())),
  });`;

/** Files cannot be written for a while; nobody waits for minutes until it is tried again. */
const fullDisk = (fromMs: number, toMs: number) => `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  import { open } from 'node:fs/promises';
  import timers from 'node:timers/promises';
  const wait = timers.setTimeout;
  timers.setTimeout = () => wait(60);
  const check = () => {
    const now = performance.now();
    if (now < ${fromMs} || now > ${toMs}) return;
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  };
  const handle = await open(process.execPath);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { write } = prototype;
  prototype.write = async function (...all) {
    check();
    return write.apply(this, all);
  };
  const { writeSync } = fs;
  fs.writeSync = (file, ...all) => {
    if (file > 2) check();
    return writeSync(file, ...all);
  };
  syncBuiltinESMExports();`;

/** Turns a bit, or makes a sector zeros. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  const at = random.below(bytes.length);
  const sector = bytes.subarray(at - (at % 512), at - (at % 512) + 512);
  if (random.uniform() < 0.5 && sector.some((byte) => byte !== 0)) sector.fill(0);
  else bytes[at] ^= 1 << random.below(8);
  writeFileSync(path, bytes);
}

describe('a run goes on to the same bits', () => {
  it(
    `after ${COUNT.kills} kills`,
    async () => {
      let [amid, unsaved] = [0, 0];
      const runs = await disturb(COUNT.kills, async (run) => {
        const slowWrites = random.uniform() < 0.5;
        const result = await run.go({
          signal: 'SIGKILL',
          afterMs: soak.spanMs * random.uniform(),
          slowWrites,
        });
        if (result.code !== null) expectEnd(result);
        if (run.unfinished > 0) amid += 1;
        if (!run.isSaved) unsaved += 1;
        return result.code === null;
      });
      say(
        `${COUNT.kills} kills in ${runs} runs: ${amid} left something half-written, ${unsaved} came before a first save`,
      );
    },
    COUNT.kills * PER_ROUND_MS,
  );

  it(
    `after ${COUNT.interrupts} times Ctrl-C`,
    async () => {
      let early = 0;
      const runs = await disturb(COUNT.interrupts, async (run) => {
        const afterMs = soak.spanMs * random.uniform();
        const result = await run.go({ signal: 'SIGINT', afterMs, slowWrites: random.uniform() < 0.5 });
        expectNoCrash(result);
        // Before it listens, the signal ends it as any process.
        if (result.code === null) early += 1;
        else if (result.code !== 0) expect(result.code, result.stderr).toBe(130);
        return result.code !== 0;
      });
      say(`${COUNT.interrupts} times Ctrl-C in ${runs} runs: ${early} before it listened`);
    },
    COUNT.interrupts * PER_ROUND_MS,
  );

  it(
    `from the checkpoint before, after ${COUNT.damages} were damaged`,
    async () => {
      const runs = await disturb(COUNT.damages, async (run) => {
        // Not after a time: what a run takes depends on what else runs here, and only one with two checkpoints counts.
        const at = 18 + random.below(54);
        await run.go({ signal: 'SIGINT', once: () => run.checkpoints.some((step) => step >= at) });
        if (run.isDone || run.checkpoints.length < 2) return false;
        damage(join(run.out, 'checkpoint.safetensors'));
        const result = await run.go();
        expectEnd(result);
        expect(result.stderr).toMatch(/damaged safetensors file: .*Going on from .*checkpoint-\d+/s);
        return true;
      });
      say(`${COUNT.damages} damaged checkpoints named, in ${runs} runs`);
    },
    COUNT.damages * PER_ROUND_MS,
  );

  it(
    `after the disk was full ${COUNT.disks} times`,
    async () => {
      let ended = 0;
      await disturb(COUNT.disks, async (run) => {
        const from = soak.spanMs * (0.2 + 0.8 * random.uniform());
        const result = await run.go({ module: fullDisk(from, from + 1000 * random.uniform()) });
        expectNoCrash(result);
        if (result.code === 0) return /no space left/.test(result.stderr);
        expect(result.stderr).toMatch(/no space left/);
        ended += 1;
        return true;
      });
      say(`${COUNT.disks} full disks, of which ${ended} ended a run`);
    },
    COUNT.disks * PER_ROUND_MS,
  );

  it(
    `where two processes want to make it, ${COUNT.pairs} times`,
    async () => {
      let refused = 0;
      await disturb(COUNT.pairs, async (run) => {
        const afterMs = soak.spanMs * (0.3 + random.uniform());
        const results = await Promise.all([run.go({ signal: 'SIGKILL', afterMs }), run.go()]);
        for (const { code, stderr } of results) {
          if (code !== 1) continue;
          expect(stderr).toMatch(/is used by process|holds a run already/);
          refused += 1;
        }
        return true;
      });
      say(`${COUNT.pairs} pairs of processes, ${refused} of them refused`);
    },
    COUNT.pairs * PER_ROUND_MS,
  );

  it(
    `with a clock that jumps, ${COUNT.clocks} times`,
    () =>
      disturb(COUNT.clocks, async (run) => {
        expectEnd(await run.go({ module: JUMPING_CLOCK }));
        return true;
      }),
    COUNT.clocks * PER_ROUND_MS,
  );
});
