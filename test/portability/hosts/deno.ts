/** Runs the suite in Deno, on wgpu and naga. Prints the report as one line of JSON. */
import { openDevice } from '@hrm-webgpu/core';
import { bytesSource } from '../../../packages/hrm/src/formats/files/byte-source.ts';
import type { OpenFile } from '../../../packages/hrm/src/parity/fixture.ts';
import { runSuite } from '../suite.ts';

/** What is used of Deno's own interface. */
declare const Deno: {
  args: string[];
  readFile(path: string): Promise<Uint8Array>;
  errors: { NotFound: new () => Error };
  exit(code: number): never;
};

const { fixtures, suite } = JSON.parse(Deno.args[0]);
const fixture =
  (folder: string): OpenFile =>
  async (name) => {
    try {
      return bytesSource(await Deno.readFile(`${fixtures}/${folder}/${name}`), name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };

console.log(JSON.stringify(await runSuite(() => openDevice(), fixture, suite)));
Deno.exit(0);
