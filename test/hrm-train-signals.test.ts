import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hrm } from './run-hrm.ts';
import { writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-signals-'));
const data = join(folder, 'data');

beforeAll(() => writeSmallDataset(data));
afterAll(() => rmSync(folder, { recursive: true }));

/** A run of hours; an evaluation every 5 steps tells how far it is. */
const train = (out: string) => [
  ...['train', '--data', data, '--out', out, '--steps', '1000000', '--eval-every', '5'],
  ...[
    'hidden_size=32',
    'num_heads=2',
    'H_layers=1',
    'L_layers=1',
    'puzzle_emb_ndim=32',
    'halt_max_steps=2',
  ].flatMap((setting) => ['--set', `arch.${setting}`]),
  ...['--set', 'global_batch_size=8', '--eval-sample', '8', '--eval-split', 'validation'],
];

it.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s stops a run after its step and saves it', async (signal, code) => {
  const out = join(folder, signal);
  let sent = false;
  const run = await hrm(train(out), {
    onStderr(text, kill) {
      if (sent || !text.includes('step 5:')) return;
      sent = true;
      rmSync(join(out, 'checkpoint.safetensors'), { force: true }); // what the evaluation saved, if it has
      kill(signal);
    },
  });
  expect(run).toMatchObject({ code, stdout: expect.stringContaining('--resume') });
  expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(true);
});

it('says how to go on when the device is lost for good', async () => {
  const out = join(folder, 'lost');
  // On SIGUSR2 there is no device any more, and no adapter.
  const preload = join(folder, 'lose.mjs');
  writeFileSync(
    preload,
    `import { globals } from ${JSON.stringify(import.meta.resolve('webgpu'))};
     const { requestDevice } = globals.GPUAdapter.prototype;
     globals.GPUAdapter.prototype.requestDevice = async function (descriptor) {
       const device = await requestDevice.call(this, descriptor);
       process.on('SIGUSR2', () => {
         globals.GPU.prototype.requestAdapter = async () => null;
         device.destroy();
       });
       return device;
     };`,
  );
  let sent = false;
  const run = await hrm(train(out), {
    env: { NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` },
    onStderr(text, kill) {
      if (sent || !text.includes('step 5:')) return;
      sent = true;
      kill('SIGUSR2');
    },
  });
  expect(run.stderr).toContain(`whole; go on with: hrm train --out ${out} --resume`);
  expect(run.code).toBe(1);
});
