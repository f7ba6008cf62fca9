import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { Lock } from '../../src/formats/files/lock.node.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-lock-'));
const path = join(folder, 'lock');
beforeEach(() => rmSync(path, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const take = () => Lock.take(path, 'the run');
/** What a process would have left there. */
function leave(change: Record<string, unknown>): void {
  const lock = take();
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  lock.release();
  writeFileSync(path, JSON.stringify({ ...holder, ...change }));
}

it('keeps others out until it is given back, and leaves nothing', () => {
  const lock = take();
  expect(take).toThrow(
    new RegExp(`^the run is used by process ${process.pid} since 2\\S+Z. Wait for it, or stop it$`),
  );
  lock.release();
  lock.release();
  take().release();
  expect(readdirSync(folder)).toEqual([]);
});

it('of a process that has ended is taken over', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  leave({ pid });
  expect(Lock.isStale(path)).toBe(true);
  take().release();
});

it.runIf(process.platform === 'linux')('of another process with the same number is taken over', () => {
  leave({ born: '1' });
  take().release();
});

it.runIf(process.platform === 'linux')('of a boot before this one is taken over', () => {
  leave({ space: 'another-boot pid:[1]' });
  take().release();
});

it('of a process that cannot be seen from here is left alone, and said how to get rid of', () => {
  leave({ host: 'elsewhere' });
  expect(take).toThrow(
    /on elsewhere since .* which cannot be seen from here. If it has ended, remove .*lock$/,
  );
  // The same machine and boot, another container: there may be a process of that number.
  const { space } = JSON.parse(readFileSync(path, 'utf8'));
  if (process.platform === 'linux') {
    rmSync(path);
    leave({ host: hostname(), space: `${space.split(' ')[0]} pid:[1]` });
    expect(take).toThrow(/cannot be seen from here/);
  }
  expect(existsSync(path)).toBe(true);
});

it.each(['', '{', '[]', '{"pid":"1"}', '{"pid":1}'])('that is damaged (%j) is not taken over', (text) => {
  writeFileSync(path, text);
  expect(take).toThrow(
    /^the run is locked by .*lock, which is damaged. If nobody uses it, remove that file$/,
  );
  expect(Lock.isStale(path)).toBe(false);
});

it('is had by one of many that want it at the same time, again and again', async () => {
  leave({ pid: spawnSync(process.execPath, ['-e', '']).pid });
  const script = `
    import { Lock } from ${JSON.stringify(import.meta.resolve('../../dist/formats/files/lock.node.js'))};
    try { Lock.take(${JSON.stringify(path)}, 'it'); console.log('mine'); await new Promise((r) => setTimeout(r, 1500)); }
    catch { console.log('not mine'); }
  `;
  const said = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
      let out = '';
      child.stdout.on('data', (text) => {
        out += text;
      });
      await new Promise((resolve) => child.on('close', resolve));
      return out.trim();
    }),
  );
  expect(said.filter((word) => word === 'mine')).toHaveLength(1);
});
