/** `hrm train`: what its folder keeps, and what becomes of it when disks, people and other processes interfere. */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hrm } from './run-hrm.ts';
import { TINY, writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-run-folder-'));
const data = join(folder, 'data');
const at = (...names: string[]) => join(folder, ...names);

const train = (out: string, ...extra: string[]) => [
  ...['train', '--preset', 'demo-4x4', '--data', data, '--out', at(out), '--steps', '12'],
  ...['--eval-every', '12', '--eval-split', 'validation', '--no-tune', ...TINY, ...extra],
];
const resume = (out: string, ...extra: string[]) => ['train', '--out', at(out), '--resume', ...extra];
const NO_ADAPTER = { env: { VK_DRIVER_FILES: '/nonexistent.json' } };

const lines = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Tensors, without the metadata, which hold the dataset's path. */
function tensorsOf(run: string): string {
  const bytes = readFileSync(at(run, 'checkpoint.safetensors'));
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))).toString('hex');
}

beforeAll(async () => {
  await writeSmallDataset(data);
  const run = await hrm(train('whole', '--save-every', '4'));
  expect(run).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the folder of a run', () => {
  it('holds configuration, log, sessions, the best and the last two checkpoints, and no lock', () => {
    expect(readdirSync(at('whole')).sort()).toEqual([
      'all_config.yaml',
      'best.safetensors',
      'checkpoint-12.safetensors',
      'checkpoint-8.safetensors',
      'checkpoint.safetensors',
      'log.jsonl',
      'samples.jsonl',
      'sessions.jsonl',
    ]);
    const size = (name: string) => statSync(at('whole', name));
    expect(size('checkpoint.safetensors').ino).toBe(size('checkpoint-12.safetensors').ino);
  });

  it('says when, where and with what it was made', () => {
    const [session, ...others] = lines(at('whole', 'sessions.jsonl'));
    expect(others).toEqual([]);
    expect(session).toMatchObject({ step: 0, totalSteps: 12, changes: {}, tuning: {} });
    expect(session.environment).toMatchObject({ node: process.versions.node, version: expect.any(String) });
    const log = lines(at('whole', 'log.jsonl'));
    expect(log).toHaveLength(13);
    const times = log.map(({ time }) => Date.parse(time));
    expect(times.every((time, i) => time >= (times[i - 1] ?? Date.parse(session.time)))).toBe(true);
  });

  it('keeps as many checkpoints as it is told to', async () => {
    const run = await hrm(train('kept', '--save-every', '3', '--keep', '3'));
    expect(run).toMatchObject({ code: 0 });
    const kept = readdirSync(at('kept')).filter((name) => /^checkpoint-/.test(name));
    expect(kept.sort()).toEqual([6, 9, 12].map((step) => `checkpoint-${step}.safetensors`).sort());
  });

  it('is saved after a time, too', async () => {
    const run = await hrm(
      train('timed', '--save-every', '1s', '--steps', '300', '--eval-every', '300', '--keep', '99'),
    );
    expect(run).toMatchObject({ code: 0 });
    expect(readdirSync(at('timed')).filter((name) => /^checkpoint-/.test(name)).length).toBeGreaterThan(1);
  });
});

describe('a kill between the two names of a checkpoint', () => {
  const inode = (name: string, file: string) => statSync(at(name, file)).ino;

  it('of the first: it is gone on from', async () => {
    cpSync(at('whole'), at('first'), { recursive: true });
    for (const file of ['checkpoint.safetensors', 'checkpoint-12.safetensors']) rmSync(at('first', file));
    expect(await hrm(resume('first'))).toMatchObject({ code: 0 });
    expect(tensorsOf('first')).toBe(tensorsOf('whole'));
  });

  it('of the last: going on gives it the other', async () => {
    cpSync(at('whole'), at('last'), { recursive: true });
    rmSync(at('last', 'checkpoint.safetensors'));
    linkSync(at('last', 'checkpoint-8.safetensors'), at('last', 'checkpoint.safetensors'));
    expect(await hrm(resume('last'))).toMatchObject({ code: 0 });
    expect(inode('last', 'checkpoint.safetensors')).toBe(inode('last', 'checkpoint-12.safetensors'));
    expect(tensorsOf('last')).toBe(tensorsOf('whole'));
  });
});

describe('a damaged checkpoint', () => {
  const copyOf = (name: string) => {
    cpSync(at('whole'), at(name), { recursive: true });
    // A copy has two files where the run has two names of one.
    rmSync(at(name, 'checkpoint.safetensors'));
    copyFileSync(at(name, 'checkpoint-12.safetensors'), at(name, 'checkpoint.safetensors'));
    rmSync(at(name, 'checkpoint-12.safetensors'));
  };
  function flip(path: string, share: number): void {
    const bytes = readFileSync(path);
    bytes[Math.floor(share * (bytes.length - 1))] ^= 4;
    writeFileSync(path, bytes);
  }

  it.each([0, 0.02, 0.5, 1])('is named, and the one before it taken (a bit at %d)', async (share) => {
    const name = `flipped-${share}`;
    copyOf(name);
    flip(at(name, 'checkpoint.safetensors'), share);
    const run = await hrm(resume(name));
    expect(run.stderr).toMatch(
      /checkpoint\.safetensors: damaged safetensors file: .*\nGoing on from .*checkpoint-8/s,
    );
    expect(run).toMatchObject({ code: 0 });
    expect(tensorsOf(name)).toBe(tensorsOf('whole'));
  });

  it('is not solved with', async () => {
    copyOf('solved');
    flip(at('solved', 'best.safetensors'), 0.5);
    const run = await hrm(['solve', at('solved'), '12..34....43..21']);
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/damaged safetensors file: tensor/) });
  });

  it('is the end where there is no other', async () => {
    copyOf('lost');
    flip(at('lost', 'checkpoint.safetensors'), 0.5);
    flip(at('lost', 'checkpoint-8.safetensors'), 0.5);
    const run = await hrm(resume('lost'), NO_ADAPTER);
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/checkpoint-8\.safetensors: damaged/),
    });
  });
});

describe('other processes', () => {
  it('are kept out while a run goes on, and whoever comes after a kill goes on', async () => {
    let second: ReturnType<typeof hrm> | undefined;
    await hrm(train('taken', '--steps', '400', '--save-every', '5'), {
      async onStderr(text, kill) {
        if (second || !text.includes('adapter:')) return;
        second = hrm(resume('taken'), NO_ADAPTER);
        while (!existsSync(at('taken', 'checkpoint.safetensors')))
          await new Promise((r) => setTimeout(r, 50));
        second = hrm(resume('taken'), NO_ADAPTER);
        await second;
        kill('SIGKILL');
      },
    });
    const refused = await (second as ReturnType<typeof hrm>);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the run in .* is used by process \d+/),
    });
    expect(existsSync(at('taken', 'lock'))).toBe(true);
    writeFileSync(at('taken', 'checkpoint-9.safetensors.0123abcd.tmp'), 'half of it');
    const run = await hrm(resume('taken', '--steps', '400'), {
      async onStderr(text, kill) {
        if (!text.includes('adapter:')) return;
        // Once it has made steps it listens.
        const hasMade = () => {
          const [, session] = lines(at('taken', 'sessions.jsonl'));
          // It may be amid a line.
          const times = readFileSync(at('taken', 'log.jsonl'), 'utf8').matchAll(/"time":"([^"]+)"/g);
          return session && [...times].some(([, time]) => time > session.time);
        };
        while (!hasMade()) await new Promise((r) => setTimeout(r, 50));
        kill('SIGINT');
      },
    });
    expect(run.code).toBe(130);
    expect(readdirSync(at('taken')).filter((name) => /tmp$|lock$/.test(name))).toEqual([]);
  });

  it.each([
    ['checkpoint.safetensors', 'x'],
    ['all_config.yaml', 'arch: {}'],
    ['log.jsonl', ''],
    ['snapshots', undefined],
  ])('and their %s are not written over', async (name, text) => {
    const out = mkdtempSync(at('theirs-'));
    if (text === undefined) mkdirSync(join(out, name));
    else writeFileSync(join(out, name), text);
    const run = await hrm(train(out.slice(folder.length + 1)), NO_ADAPTER);
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/holds .*give another folder with --out/),
    });
    expect(readdirSync(out)).toEqual([name]);
  });
});

describe('a full disk', () => {
  /** A module that makes writes of files whose names begin so fail, as often as told. */
  function failing(name: string, times: number): NodeJS.ProcessEnv {
    const module = at(`failing-${name}-${times}.mjs`);
    writeFileSync(
      module,
      `import fs from 'node:fs';
       import { syncBuiltinESMExports } from 'node:module';
       import { basename } from 'node:path';
       import timers from 'node:timers/promises';
       const wait = timers.setTimeout;
       timers.setTimeout = () => wait(20); // nobody waits for minutes here
       let left = ${times};
       const files = new Set();
       const isMeant = (path) => basename(String(path)).startsWith(${JSON.stringify(name)});
       const full = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
       const { openSync, writeSync } = fs;
       fs.openSync = (path, ...all) => {
         const file = openSync(path, ...all);
         if (isMeant(path)) files.add(file);
         return file;
       };
       fs.writeSync = (file, ...all) => {
         if (files.has(file) && left-- > 0) throw full();
         return writeSync(file, ...all);
       };
       const { open } = fs.promises;
       fs.promises.open = async (path, ...all) => {
         const handle = await open(path, ...all);
         const { write } = handle;
         handle.write = async (...all) => {
           if (isMeant(path) && left-- > 0) throw full();
           return write.apply(handle, all);
         };
         return handle;
       };
       syncBuiltinESMExports();`,
    );
    return { NODE_OPTIONS: `--import ${module}` };
  }

  it('at a line of the log stops nothing, and no line is lost', async () => {
    const run = await hrm(train('log-full'), { env: failing('log.jsonl', 2) });
    expect(run).toMatchObject({ code: 0 });
    expect(run.stderr).toMatch(
      /log\.jsonl: cannot write: no space left.* Training goes on.*log\.jsonl is whole again/s,
    );
    expect(lines(at('log-full', 'log.jsonl')).map(({ step }) => step)).toEqual([
      ...Array.from({ length: 12 }, (_, i) => i + 1),
      12,
    ]);
  });

  it('at a save is waited for', async () => {
    const run = await hrm(train('waited', '--save-every', '4'), { env: failing('checkpoint', 2) });
    expect(run.stderr).toMatch(/no space left on the device.* Training waits; trying again in/);
    expect(run).toMatchObject({ code: 0 });
    expect(tensorsOf('waited')).toBe(tensorsOf('whole'));
  });

  it.each(['best', 'step-12'])('at the weights of an evaluation (%s) is waited for', async (name) => {
    const run = await hrm(train(`waited-${name}`, '--snapshots', '1'), { env: failing(name, 2) });
    expect(run.stderr).toMatch(/no space left on the device.* Training waits; trying again in/);
    expect(run).toMatchObject({ code: 0 });
    expect(existsSync(at(`waited-${name}`, 'best.safetensors'))).toBe(true);
    expect(readdirSync(at(`waited-${name}`, 'snapshots'))).toEqual(['step-12.safetensors']);
  });

  it('lets no checkpoint have steps that the log has not', async () => {
    const run = await hrm(train('behind', '--save-every', '4'), { env: failing('log.jsonl', 1e9) });
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toMatch(
      /log\.jsonl: cannot write: no space left.*Training waits.*log\.jsonl: cannot write.*Nothing had been saved/s,
    );
    expect(readdirSync(at('behind')).filter((name) => /checkpoint/.test(name))).toEqual([]);
    expect(await hrm(train('behind'))).toMatchObject({ code: 0 });
  });

  it('that stays full ends the run, and the checkpoint before is whole', async () => {
    cpSync(at('kept'), at('ended'), { recursive: true });
    const run = await hrm(resume('ended', '--steps', '20', '--save-every', '4'), {
      env: failing('checkpoint', 1e9),
    });
    expect(run).toMatchObject({ code: 1 });
    expect(run.stderr).toMatch(
      /no space left.*The checkpoint before is whole: go on with hrm train --out .* --resume/s,
    );
    expect(tensorsOf('ended')).toBe(tensorsOf('kept'));
    expect(await hrm(resume('ended', '--steps', '20'))).toMatchObject({ code: 0 });
  });
});

describe('other rates', () => {
  it('can be set when a run goes on, and stand in its history', async () => {
    cpSync(at('whole'), at('slower'), { recursive: true });
    appendFileSync(at('slower', 'sessions.jsonl'), '{"time":"20'); // of a process that was killed
    const run = await hrm(resume('slower', '--steps', '16', '--set', 'lr=1e-4'));
    expect(run).toMatchObject({ code: 0 });
    const history = readFileSync(at('slower', 'sessions.jsonl'), 'utf8').trim().split('\n');
    expect(history).toHaveLength(3);
    expect(JSON.parse(history[2])).toMatchObject({ step: 12, totalSteps: 16, changes: { lr: 1e-4 } });
    expect(lines(at('slower', 'log.jsonl')).at(-2)).toMatchObject({
      ...{ kind: 'train', step: 16 },
      lr: expect.closeTo((1e-4 * 16) / 50), // of a warm-up over 50 steps
    });
    expect(readFileSync(at('slower', 'all_config.yaml'), 'utf8')).toMatch(/^lr: 0\.0001$/m);
  });

  it.each(['global_batch_size=4', 'seed=2', 'arch.H_cycles=2'])('but not %s', async (setting) => {
    const run = await hrm(resume('whole', '--set', setting), NO_ADAPTER);
    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/with --resume only lr, .* can be changed/),
    });
  });
});
