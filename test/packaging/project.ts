/** An empty project of a user's, into which the tarballs are installed as npm would from its registry. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packTarballs, stagePackages } from '../../scripts/packages.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A path in this repository. */
export const inRoot = (path: string) => join(root, path);

/** The code blocks of a language in a README of this repository, in order. */
export function codeOf(readme: string, language: string): string[] {
  const blocks = readFileSync(inRoot(readme), 'utf8').matchAll(
    new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'),
  );
  return [...blocks].map(([, code]) => code);
}

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A folder outside the repository, with nothing in it but what is installed. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'hrm-project-'));

  /** Packs the packages and installs them, with the version of `webgpu` that the repository uses. */
  static async create(): Promise<Project> {
    const project = new Project();
    const staged = join(project.folder, 'staged');
    await stagePackages(staged);
    project.write('package.json', JSON.stringify({ type: 'module', private: true }));
    const { devDependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
    const wanted = [...packTarballs(staged), `webgpu@${devDependencies.webgpu}`];
    const npm = project.run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...wanted]);
    if (npm.status !== 0) throw new Error(`npm install of the tarballs failed:\n${npm.stderr}`);
    rmSync(staged, { recursive: true });
    return project;
  }

  /** Where a file of the project is. */
  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    const path = this.path(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Puts a file or folder of the repository into the project, under the same path. */
  copy(path: string, to = path): void {
    cpSync(inRoot(path), this.path(to), { recursive: true });
  }

  /** Runs a program in the project; two minutes are far more than any should take. */
  run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Ran {
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', ...env },
      shell: process.platform === 'win32' && program === 'npm',
      timeout: 120_000,
    });
    return { status, stdout, stderr };
  }

  /** Runs a module's text by Node. */
  node(code: string): Ran {
    return this.run(process.execPath, [this.write('main.mjs', code)]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
