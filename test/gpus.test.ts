import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rowOf, tableOf } from '../scripts/gpus.mjs';

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const reports = readdirSync(path('docs/gpus'));
const read = (name: string) => JSON.parse(readFileSync(path(`docs/gpus/${name}`), 'utf8'));

it('docs/gpus.md is what the reports say', () => {
  const { status, stderr } = spawnSync(process.execPath, [path('scripts/gpus.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const name of reports) expect(readFileSync(path('docs/gpus.md'), 'utf8')).toContain(`${name} |`);
});

describe.each(reports)('docs/gpus/%s', (name) => {
  const report = read(name);

  it('says of whom it is, and nothing of the person', () => {
    expect(report.environment).toMatchObject({
      adapter: { description: expect.any(String) },
      cpu: expect.any(String),
    });
    const text = JSON.stringify(report);
    expect(text).not.toMatch(/"((host|user)(name)?|path|cwd)":/i);
    expect(text).not.toMatch(/\/(home|root|Users|tmp|work)\//);
  });

  it('is no longer true when a number changes', () => {
    const changed = structuredClone(report);
    for (const result of changed.documents[0].results) result.gflops *= 2;
    expect(tableOf([[name, changed]])).not.toBe(tableOf([[name, report]]));
  });

  it('says whether others used the machine', () => {
    const measured = (load: number) =>
      rowOf(name, { ...report, environment: { ...report.environment, load } }).at(-1);
    expect(measured(2)).toContain('shared machine (load 2.0)');
    expect(measured(0.1)).toContain('quiet machine');
  });

  it('says what it lacks', () => {
    const documents = report.documents.filter(
      ({ benchmark }: { benchmark: string }) => benchmark === 'matmul',
    );
    const row = rowOf(name, { ...report, documents });
    expect(row.slice(2, 4)).toEqual(['–', '–']);
    expect(row.at(-1)).toContain('without kernels, attention, train-step, infer, memory, load, host');
  });

  it('is refused with nothing in it', () => {
    expect(() => rowOf(name, { ...report, documents: [] })).toThrow(
      `${name}: is no report; write it with: npm run bench -- all --quick`,
    );
  });
});
