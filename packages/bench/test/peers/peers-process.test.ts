import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { PeerProcess } from '../../src/peers/peer-process.node.ts';
import { expectSameAdapter } from '../../src/peers/start.node.ts';

const WORKER = fileURLToPath(new URL('./fake-worker.mjs', import.meta.url));

const started: PeerProcess[] = [];
async function start(fault = '', timeoutMs = 20_000): Promise<PeerProcess> {
  const peer = await PeerProcess.start('fake', [process.execPath, WORKER, fault], timeoutMs);
  started.push(peer);
  return peer;
}
afterEach(async () => {
  for (const peer of started.splice(0)) await peer.close();
});

const x = { shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 3e-20, Number.POSITIVE_INFINITY, Number.NaN) };
const ids = { shape: [2], data: Int32Array.of(-100, 7) };

describe('a peer process', () => {
  it('greets, computes and is timed, task by task', async () => {
    const peer = await start();
    expect(peer.hello.version).toBe('1.2.3');
    const { y } = await peer.prepare('double', 'scale', { factor: 2 }, { x });
    expect(y).toEqual({ shape: x.shape, data: x.data.map((value) => 2 * value) });
    const again = await peer.prepare('negate', 'scale', { factor: -1 }, { x: ids });
    expect(again.y).toEqual({ shape: ids.shape, data: Int32Array.of(100, -7) });
    expect(await peer.run('double', 3)).toEqual({ ms: 6, peakBytes: 64 });
  });

  it('tells why it cannot compute something, and goes on', async () => {
    const peer = await start('cannot');
    const attempt = peer.prepare('key', 'scale', { factor: 1 }, { x });
    await expect(attempt).rejects.toThrow("fake failed at 'prepare': Error: no kernel for scale");
    await expect(peer.prepare('key', 'rope', {}, { x })).rejects.toThrow('no kernel for rope');
  });

  it.each([
    [
      'dies at once',
      20_000,
      /^fake: its process ended \(exit code 3\)\. .*stderr:\nno driver for this planet$/,
    ],
    ['never greets', 300, /^fake: no answer to 'start' within 0\.3 s/],
  ])('that %s gives one message', async (fault, timeoutMs, message) => {
    await expect(start(fault, timeoutMs)).rejects.toThrow(message);
  });

  it('that cannot be started gives one message', async () => {
    const attempt = PeerProcess.start('fake', ['/no/such/node', WORKER]);
    await expect(attempt).rejects.toThrow(/^fake: could not be started: .*ENOENT/);
  });

  it.each([
    ['dies in a run', /its process ended \(SIGKILL\)/],
    ['hangs in a run', /no answer to 'run' within 6 s/],
  ])('that %s fails what waits for it, and what comes after', async (fault, message) => {
    const peer = await start(fault, 6000);
    await peer.prepare('key', 'scale', { factor: 1 }, { x });
    await expect(peer.run('key', 1)).rejects.toThrow(message);
    await expect(peer.run('key', 1)).rejects.toThrow(message);
  });

  it('ends when the process that talks to it is killed', async () => {
    // The worker's stdin comes from a program that dies without a word, as the benchmark does by SIGKILL.
    const talker = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const worker = spawn(process.execPath, [WORKER], { stdio: [talker.stdout, 'pipe', 'ignore'] });
    await once(worker.stdout as NodeJS.ReadableStream, 'data');
    const ended = once(worker, 'exit');
    talker.kill('SIGKILL');
    expect(await ended).toEqual([0, null]);
  });
});

it('refuses to compare on different adapters', () => {
  const ours = {
    vendor: 'v',
    architecture: 'a',
    device: 'd',
    description: 'real',
    class: 'gpu',
    subgroupMinSize: 8,
  } as const;
  const hello = {
    version: '1',
    adapter: { vendor: 'v', architecture: 'a', device: 'd', description: 'fake' },
  };
  expect(() => expectSameAdapter('jax-js', hello, ours)).toThrow(
    'jax-js runs on another adapter than hrm-webgpu: v / a / d / fake instead of v / a / d / real',
  );
  expectSameAdapter('jax-js', hello, { ...ours, description: 'fake' });
});
