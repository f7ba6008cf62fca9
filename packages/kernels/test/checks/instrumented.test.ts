/** A check can run a kernel's workgroups in descending order, and the kernel is otherwise the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { type Device, launchGuarded, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instrumented, NOTES, readNotes } from '../../src/checks/instrumented.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const HEAD = `struct Params { length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
struct Pair { x: array<u32, 4> }
var<workgroup> shared_sum: u32;`;

/** Runs a kernel with 32 threads a workgroup in two workgroups, on x and y of 64 elements. */
async function run(main: string, reversed_order: number) {
  const source = {
    name: 'made',
    text: instrumented('made', `${HEAD}\n@compute @workgroup_size(32)\n${main}`, 8),
  };
  const program = device.program(source, {});
  expect(await program.attempt()).toBeUndefined();
  const { arrays } = await launchGuarded(device, program, {
    contents: {
      x: Uint32Array.from({ length: 64 }, (_, i) => i),
      y: new Uint32Array(64).fill(99),
      [NOTES]: new Uint32Array(2),
    },
    params: { length: 64, reversed_order },
    workgroups: [2, 1, 1],
    exact: true,
  });
  return { y: [...arrays.y], noted: readNotes(arrays[NOTES], ['x', 'y']) };
}

describe.each([
  ['global_invocation_id', '(@builtin(global_invocation_id) id: vec3<u32>) { let i = id.x;'],
  [
    'workgroup_id and local_invocation_index',
    '(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) { let i = 32 * group.x + t;',
  ],
  [
    'all ids, over lines',
    `(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(global_invocation_id) id: vec3<u32>,
) { let i = select(0u, id.x, id.x == 32 * group.x + local.x && groups.x == 2);`,
  ],
])('a kernel that goes by %s', (_, begin) => {
  it.each([0, 1])('does all its work in order %i', async (order) => {
    const { y, noted } = await run(
      `fn main${begin} if (i >= params.length) { return; } y[i] = x[i] + 1; }`,
      order,
    );
    expect(y).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
    expect(noted).toBeUndefined();
  });
});

it('a barrier that is missing, and not missed in ascending order, is in descending order', async () => {
  const kernel = (barrier: string) => `fn main(@builtin(local_invocation_index) t: u32) {
    if (t == 0) { shared_sum = 7; } ${barrier} y[t] = shared_sum + 0 * x[t];
  }`;
  const sevens = (result: { y: number[] }) => result.y.slice(0, 32).filter((value) => value === 7).length;
  expect(sevens(await run(kernel('workgroupBarrier();'), 0))).toBe(32);
  expect(sevens(await run(kernel('workgroupBarrier();'), 1))).toBe(32);
  expect(sevens(await run(kernel(''), 1))).toBeLessThan(32);
});

describe('an index out of bounds', () => {
  const kernel = (body: string) =>
    `fn main(@builtin(global_invocation_id) id: vec3<u32>) { let i = id.x; ${body} }`;

  it.each([
    ['read and thrown away', 'y[i] = select(x[i + 1], x[i], true);', 'x[64] is out of its bounds'],
    ['written', 'y[i + 3] = x[i];', 'y[66] is out of its bounds'],
    ['below 0', 'y[i] = x[i32(i) - 1];', 'x[4294967294] is out of its bounds'],
    ['within an index', 'y[x[x[i] + 1] % 64] = 1;', 'x[64] is out of its bounds'],
    ['in a compound assignment', 'y[2 * i] += x[i];', 'y[126] is out of its bounds'],
  ])('%s is noted', async (_, body, noted) => {
    expect((await run(kernel(body), 0)).noted).toBe(noted);
  });

  it('is not one of an array that has the same name in a structure', async () => {
    const { noted } = await run(kernel('var p: Pair; p.x[3] = i; y[i] = p.x[3] + 0 * x[i];'), 0);
    expect(noted).toBeUndefined();
  });
});

it('threads that are lanes of a subgroup stay who they are', () => {
  const lanes = `${HEAD}\n@compute @workgroup_size(32)\nfn main(@builtin(local_invocation_index) t: u32) { y[t] = subgroupAdd(t); }`;
  expect(instrumented('lanes', lanes, 8)).toContain('own_local_invocation_index, false)');
});

const shaders = new URL('../../../../shaders/', import.meta.url);
it.each(readdirSync(shaders))('%s is the same but for its indices and entry point, line by line', (file) => {
  const before = readFileSync(new URL(file, shaders), 'utf8').replace(/[ \t]*\/\/[^\n]*/g, '');
  const names = [...before.matchAll(/var<storage, \w+> (\w+)/g)].map(([, name]) => name);
  const after = instrumented(file, before, 8).split('\n');
  const undone = (line: string) =>
    line.replace(/note_\d+\(u32\((.*?)\)\)/g, '$1').replace(' reversed_order: u32,', '');
  const changed = before
    .trimEnd()
    .split('\n')
    .filter((line, i) => line !== undone(after[i]));
  for (const line of changed)
    expect(line).toMatch(new RegExp(`@builtin|@workgroup_size|^fn main|\\b(?:${names.join('|')})\\[`));
});

it('names a file without an entry point', () => {
  expect(() => instrumented('x', `${HEAD}\nfn other() {}`, 8)).toThrow(/^x\.wgsl: needs '@compute/);
});
