/** A copy of the checkout, built, for tests that write into it. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const LEFT_OUT = /^(\.git|\.cache|build|data|downloads|runs|docs\/api|test\/fixtures)$|(^|\/)node_modules$/;

/** What came of a command. */
export interface Run {
  code: number | null;
  out: string;
  err: string;
}

export class CheckoutCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'hrm-checkout-'));

  constructor() {
    cpSync(root, this.folder, {
      recursive: true,
      filter: (path) => !LEFT_OUT.test(relative(root, path)),
    });
    this.linkPackages();
  }

  /** node_modules with the installed packages and, instead of the checkout's own, those of the copy. */
  private linkPackages(): void {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(modules);
    const installed = readdirSync(join(root, 'node_modules'));
    const wanted = installed.filter((name) => !name.startsWith('.') || /^\.(bin$|hrm-)/.test(name));
    const own = readdirSync(join(this.folder, 'packages')).map((name) => ({
      path: join(this.folder, 'packages', name),
      name: JSON.parse(readFileSync(join(this.folder, 'packages', name, 'package.json'), 'utf8'))
        .name as string,
    }));
    const scopes = new Set(own.map(({ name }) => name.split('/')[0]));
    for (const name of wanted.filter((name) => !scopes.has(name)))
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    for (const { name, path } of own) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(path, join(modules, name), 'dir');
    }
  }

  /** Runs a line in a shell, there. */
  run(line: string): Run {
    const { status, stdout, stderr } = spawnSync(line, {
      ...{ cwd: this.folder, shell: true, encoding: 'utf8', maxBuffer: 1 << 26 },
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: '', VITEST: undefined },
    });
    return { code: status, out: stdout, err: stderr };
  }

  has(path: string): boolean {
    return existsSync(join(this.folder, path));
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}
