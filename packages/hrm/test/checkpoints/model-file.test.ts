/** Which file of a folder is its checkpoint. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findCheckpoint } from '../../src/checkpoints/model-file.node.ts';
import { userError } from '../formats/fixtures.ts';

const root = mkdtempSync(join(tmpdir(), 'hrm-model-file-'));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
function folderWith(...names: string[]): string {
  const folder = join(root, `${folders++}`);
  mkdirSync(folder);
  for (const name of names) writeFileSync(join(folder, name), '');
  return folder;
}

describe('findCheckpoint', () => {
  it.each([
    ['best.safetensors', ['checkpoint.safetensors', 'best.safetensors', 'step_9', 'a.pt']],
    ['checkpoint.safetensors', ['checkpoint', 'checkpoint.safetensors']],
    ['checkpoint', ['checkpoint', 'eval.safetensors', 'other.safetensors']],
    ['m.safetensors', ['m.safetensors', 'all_config.yaml']],
    ['hrm.pt', ['hrm.pt', 'log.jsonl', 'hrm.pt.3f.tmp']],
    ['step_26040', ['step_26040', 'step_26040_all_preds.0', 'all_config.yaml', 'losses.py']],
  ])('takes %s', (name, names) => {
    const folder = folderWith(...names);
    expect(findCheckpoint(folder)).toBe(join(folder, name));
  });

  it('looks for files alone', () => {
    const folder = folderWith('step_2');
    mkdirSync(join(folder, 'step_1'));
    symlinkSync('nowhere', join(folder, 'gone.pt'));
    expect(findCheckpoint(folder)).toBe(join(folder, 'step_2'));
  });

  it('lists several, some of very many', async () => {
    const some = folderWith('step_100', 'step_20', 'a.safetensors');
    expect((await userError(() => findCheckpoint(some))).message).toBe(
      `${some} has several checkpoints in it: give one of them, "a.safetensors", "step_20", "step_100"`,
    );
    const many = folderWith(...Array.from({ length: 30 }, (_, i) => `step_${i}`));
    expect((await userError(() => findCheckpoint(many))).message).toMatch(/"step_9" and 20 more$/);
  });

  it('says what it looked for where there is none', async () => {
    const { message } = await userError(() => findCheckpoint(folderWith('notes.txt')));
    expect(message).toMatch(/has no checkpoint in it \(looked for best\.safetensors, .*\*\.pt or step_N\)/);
  });
});
