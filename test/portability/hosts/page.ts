/** Runs the suite in a browser and sends the report to the page's server. */
import { openDevice } from '@hrm-webgpu/core';
import { bytesSource } from '../../../packages/hrm/src/formats/files/byte-source.ts';
import type { OpenFile } from '../../../packages/hrm/src/parity/fixture.ts';
import { runSuite } from '../suite.ts';

const fixture =
  (folder: string): OpenFile =>
  async (name) => {
    const response = await fetch(`/fixtures/${folder}/${name}`);
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return bytesSource(new Uint8Array(await response.arrayBuffer()), name);
  };

const send = (body: object) => fetch('/report', { method: 'POST', body: JSON.stringify(body) });
try {
  const suite = await (await fetch('/options')).json();
  await send(await runSuite(() => openDevice(), fixture, suite));
} catch (error) {
  await send({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) });
}
