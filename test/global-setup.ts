import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The command-line tests run what is built; make sure that it is what stands in the sources. */
export default function build(): void {
  const script = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url));
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
