import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { snapshotsIn } from '../../checkpoints/model-file.node.ts';
import { TEMPORARY } from '../../formats/files/atomic-write.node.ts';
import { Lock } from '../../formats/files/lock.node.ts';
import { RUN_LOCK, readRunFolder, runsIn } from '../../runs/run-folder.node.ts';
import { type Command, parse } from '../command.ts';
import { byteSize, print } from '../terminal.ts';
import { numberedIn } from '../train/loop/run-checkpoints.ts';

export const cleanRuns: Command = {
  summary: 'remove what runs no longer need',
  help: `usage: hrm runs clean DIR… [--yes]

Shows what could go of the runs in folders: checkpoints but the newest, snapshots, examples that a run broke at, and what killed
processes left. The best weights, the newest checkpoint, log and configuration stay. Runs that go on are left alone.

  --yes   remove it`,

  async run(args) {
    const { values, positionals } = parse(args, { yes: { type: 'boolean', default: false } });
    if (positionals.length === 0) throw new UserError('expected one folder or more. See --help.');
    let sum = 0;
    for (const path of positionals.flatMap(runsIn)) {
      const { state } = await readRunFolder(path);
      if (state === 'running') {
        print(`${path}: a process trains here; left alone`);
        continue;
      }
      const lock = values.yes ? Lock.take(join(path, RUN_LOCK), `the run in ${path}`) : undefined;
      for (const file of spareIn(path)) {
        const { size, nlink } = statSync(file);
        // What has another name takes no room of its own.
        if (nlink === 1) sum += size;
        if (values.yes) rmSync(file);
        print(`${values.yes ? 'removed' : 'could go:'} ${file}  ${byteSize(size)}`);
      }
      lock?.release();
    }
    print(values.yes ? `${byteSize(sum)} freed` : `${byteSize(sum)} could be freed; --yes removes it`);
    return 0;
  },
};

/** Files of a run that nothing needs. */
function spareIn(folder: string): string[] {
  const names = readdirSync(folder);
  const left = names.filter(
    (name) => TEMPORARY.test(name) || /^not-finite-step-\d+\.safetensors$/.test(name),
  );
  return [...numberedIn(folder).slice(1), ...snapshotsIn(folder), ...left.map((name) => join(folder, name))];
}
