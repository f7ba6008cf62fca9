/** A check can run a kernel's workgroups in descending order, and the kernel is otherwise the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { type Device, launchGuarded, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOrder } from '../../src/checks/workgroup-order.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

/** Each invocation notes who it is, in the place of the one whose work it does. */
const text = (args: string, work: string, own: string) => `struct Params { width: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(4)
fn main(${args}) {
  y[${work}] = ${own};
}`;
const GROUP = '@builtin(workgroup_id) group: vec3<u32>';
const THREAD = '@builtin(local_invocation_index) thread: u32';
const INVOCATION = '@builtin(global_invocation_id) id: vec3<u32>';
const BY_GROUP = text(
  `${GROUP}, ${THREAD}`,
  '4u * group.x + thread',
  '4u * own_workgroup_id.x + own_local_invocation_index',
);
const BY_INVOCATION = text(INVOCATION, 'id.x', '4u * own_workgroup_id.x + own_local_invocation_id.x');
const BY_ALL = text(
  `
  ${GROUP},
  @builtin(num_workgroups) groups: vec3<u32>,
  ${INVOCATION},
  ${THREAD},
`,
  'id.x + 4u * group.x - (id.x - thread) + 0u * groups.x',
  'own_global_invocation_id.x',
);

async function run(shader: string, order: number): Promise<number[]> {
  const program = device.program({ name: 'order', text: withOrder('order', shader) }, {});
  expect(await program.attempt()).toBeUndefined();
  const { arrays } = await launchGuarded(device, program, {
    contents: { y: new Uint32Array(12).fill(99) },
    params: { width: 1, reversed_order: order },
    workgroups: [3, 1, 1],
  });
  return [...arrays.y];
}

describe.each([
  ['workgroup_id and local_invocation_index', BY_GROUP],
  ['global_invocation_id', BY_INVOCATION],
  ['all of them', BY_ALL],
])('a kernel that goes by %s', (_, shader) => {
  const ids = Array.from({ length: 12 }, (_, i) => i);

  it('does its own work in ascending order', async () => {
    expect(await run(shader, 0)).toEqual(ids);
  });

  it('does that of the opposite one in descending order', async () => {
    expect(await run(shader, 1)).toEqual(ids.reverse());
  });
});

it('threads that are lanes of a subgroup stay who they are', () => {
  const lanes = text(`${GROUP}, ${THREAD}`, '4u * group.x + thread', 'subgroupAdd(thread)');
  expect(withOrder('lanes', lanes)).toContain('let group =');
  expect(withOrder('lanes', lanes)).not.toContain('let thread =');
});

const shaders = new URL('../../../../shaders/', import.meta.url);
it.each(readdirSync(shaders))('%s is the same but for its entry point, line by line', (file) => {
  const before = readFileSync(new URL(file, shaders), 'utf8');
  const after = withOrder(file, before).split('\n');
  const changed = before.split('\n').flatMap((line, i) => (line === after[i] ? [] : [line]));
  expect(after).toHaveLength(before.split('\n').length);
  for (const line of changed) expect(line).toMatch(/struct Params|@builtin|^\) \{$|^fn main/);
  expect(changed.length).toBeLessThanOrEqual(5);
});

it('names a file without an entry point', () => {
  expect(() => withOrder('x', 'fn other() {}')).toThrow(/shaders\/x\.wgsl: needs '@compute/);
});
