// `npm run docs`: the API reference, from the doc comments of everything that the packages export, into docs/api. Exit code 1
// for a link that leads nowhere, or something public that is exported by no name.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { embedShaders } from './build.mjs';
import { installTools } from './tools.mjs';

embedShaders();
const { typedoc } = installTools((text) => console.error(text));
const options = fileURLToPath(new URL('../docs/typedoc.json', import.meta.url));
const { status } = spawnSync(process.execPath, [typedoc, '--options', options, '--logLevel', 'Warn'], {
  stdio: 'inherit',
});
if (status === 0) console.log('docs/api/index.html');
process.exitCode = status ?? 1;
