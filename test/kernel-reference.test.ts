/** docs/kernel-reference.md, which is made of the kernels. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checks } from '@hrm-webgpu/kernels/checks';
import { expect, it } from 'vitest';

const inRoot = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const page = readFileSync(inRoot('docs/kernel-reference.md'), 'utf8');
const entries = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((entry) => [entry.slice(0, entry.indexOf('\n')), entry]),
);

it('is what the kernels, their definitions and the reports say', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [inRoot('scripts/kernel-reference.mjs'), '--check'],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

it('has an entry for every kernel, with all that it should say', () => {
  expect([...entries.keys()]).toEqual(Object.keys(checks));
  for (const [name, entry] of entries) {
    const said = [...entry.matchAll(/^- ([\w ]+):/gm)].map(([, what]) => what);
    expect([name, said.filter((what) => what !== 'made for')]).toEqual([
      name,
      ['parameters', 'tunables', 'FLOPs', 'bytes', 'gradient', 'used by', 'roofline', 'files'],
    ]);
    expect(entry.split('\n')[2]).toMatch(/^\S.{20}/); // the head comment
    expect(entry.match(/^[|-].*(undefined|NaN).*/m)?.[0]).toBeUndefined();
  }
});

// Each by a way of its own to be found: an op and its rule, through another file, an optimiser, another package.
it.each([
  ['relu', /^- gradient: of `relu`: \[relu_backward\]\(#relu_backward\)$/m],
  ['relu', /^- used by: `relu`$/m],
  ['relu_backward', /^- gradient: it computes that of `relu`$/m],
  ['matmul_workgroup', /^- used by: `linear`, `multiply`, `linearGradient`$/m],
  ['matmul_workgroup', /^- tunables: `ROWS` 8, 4; /m],
  ['softmax', /^\| `y` \| `array<f32>` \| written \| 67 × 10 \|$/m],
  ['sgd', /^- used by: `SGD`$/m],
  ['q_targets', /^- used by: `packages\/hrm\/src\/model\/act\.ts`$/m],
  [
    'attention',
    /^- FLOPs: `2 \* pairFlops` \(`pairFlops = 2 \* batch \* heads \* seq_len \* seq_len \* head_dim`\)$/m,
  ],
  ['matmul_subgroup', /^- roofline: \d+–\d+ % of the arithmetic roof on llvmpipe/m],
  ['fill', /^- roofline: not measured$/m],
])('says of %s: %s', (name, line) => {
  expect(entries.get(name)).toMatch(line);
});
