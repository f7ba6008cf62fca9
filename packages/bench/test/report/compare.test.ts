import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../src/main.ts';
import { compareAll, compareDocuments, formatComparison } from '../../src/report/compare.ts';
import { parseDocument, parseDocuments } from '../../src/report/document.node.ts';
import { DOCUMENT_FORMAT } from '../../src/report/document.ts';

/** Samples around `ms`, a little scattered. */
const samples = (ms: number, count = 21) =>
  Array.from({ length: count }, (_, i) => ms * (1 + 0.001 * (i % 7)));

const adapter = { vendor: 'mesa', description: 'llvmpipe', class: 'software', subgroupMinSize: 8 };
const control = { name: 'fast against itself', ratio: 1, low: 0.98, high: 1.02, ok: true };
const base = {
  format: DOCUMENT_FORMAT,
  benchmark: 'matmul',
  title: 'products',
  ok: true,
  environment: {
    date: 'today',
    adapter,
    node: '20.1.0',
    webgpu: '0.6.2',
    os: 'linux',
    cpu: '2 × x',
    load: 1,
  },
  settings: { size: 512, seed: 1 },
  results: [
    { name: 'naive', samplesMs: samples(100) },
    { name: 'tiled', samplesMs: samples(10) },
  ],
  controls: [control],
};
const document = (changes: object = {}, file = 'a.json') =>
  parseDocument(JSON.stringify({ ...base, ...changes }), file);

describe('compareDocuments', () => {
  it('calls faster and slower what is beyond the noise of the controls', () => {
    const results = [
      { name: 'naive', samplesMs: samples(101.5) }, // a clear change by its own samples, but the controls allow ± 2 %
      { name: 'tiled', samplesMs: samples(5, 35) },
    ];
    const { changes, warnings, noise } = compareDocuments(document(), document({ results }, 'b.json'));
    expect(noise).toBeCloseTo(0.02, 9);
    expect(warnings).toEqual([]);
    expect(changes.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['naive', 'no change'],
      ['tiled', 'faster'],
    ]);
    expect(changes[1].speedup.ratio).toBeCloseTo(2, 2);
    expect(changes[1].speedup.low).toBeGreaterThan(1.98);
    const back = compareDocuments(document({ results }, 'b.json'), document());
    expect(back.changes[1].verdict).toBe('slower');
  });

  it('cannot tell by one sample, or two', () => {
    for (const times of [[1.3], [1.3, 1.31]]) {
      const results = (factor: number) => [{ name: 'few', samplesMs: times.map((time) => factor * time) }];
      const [before, after] = [1, 2].map((factor) =>
        document({ results: results(factor) }, `${factor}.json`),
      );
      expect(compareDocuments(before, after).changes.map(({ verdict }) => verdict)).toEqual(['cannot tell']);
    }
  });

  it('cannot tell where interval and noise let a change through: a planted slowdown of 1.3 × is not "no change"', () => {
    const results = [{ name: 'naive', samplesMs: samples(130) }];
    const noisy = { ...control, low: 0.65, high: 1.3, ok: false };
    const [change] = compareDocuments(document(), document({ results, controls: [noisy] }, 'b.json')).changes;
    expect(change.verdict).toBe('cannot tell');
    // The same by the samples alone: few of them, and scattered.
    const scattered = [{ name: 'naive', samplesMs: [90, 130, 170, 100, 160].map((ms) => 1.3 * ms) }];
    const one = { results: [{ name: 'naive', samplesMs: [80, 100, 140, 90, 130] }], controls: [] };
    const comparison = compareDocuments(
      document(one),
      document({ results: scattered, controls: [] }, 'b.json'),
    );
    expect(comparison.changes[0].verdict).toBe('cannot tell');
    expect(formatComparison(comparison)).toContain('cannot tell: a change of 5 % or more is not excluded');
  });

  it('finds the planted slowdown where the runs are quiet enough', () => {
    const results = [{ name: 'naive', samplesMs: samples(130) }];
    expect(compareDocuments(document(), document({ results }, 'b.json')).changes[0].verdict).toBe('slower');
  });

  it('says "no change" of a change that it excludes alone', () => {
    const verdict = (ms: number, width: number) => {
      const controls = [{ ...control, low: 1 - width, high: 1 + width }];
      const results = [{ name: 'naive', samplesMs: samples(ms) }];
      return compareDocuments(document({ controls }), document({ results, controls }, 'b.json')).changes[0]
        .verdict;
    };
    expect(verdict(100, 0.02)).toBe('no change');
    expect(verdict(100, 0.06)).toBe('cannot tell'); // 6 % would not show
    expect(verdict(104, 0.045)).toBe('cannot tell'); // may be 4 + 4.5 %
  });

  it('warns of what differs, of noisy runs and of what only one run has', () => {
    const other = document(
      {
        environment: {
          ...base.environment,
          node: '22.0.0',
          load: 3,
          adapter: { ...adapter, description: 'other' },
        },
        settings: { size: 1024, seed: 1 },
        results: [
          { name: 'naive', samplesMs: samples(100) },
          { name: 'tiled' },
          { name: 'new', samplesMs: [1] },
        ],
        controls: [{ ...control, ok: false }],
      },
      'b.json',
    );
    expect(compareDocuments(document(), other).warnings).toEqual([
      "b.json: the control 'fast against itself' failed: too noisy a run",
      'environment node differs: "20.1.0" against "22.0.0"',
      'environment adapter.description differs: "llvmpipe" against "other"',
      'settings size differs: 512 against 1024',
      'not compared: tiled: no samples in b.json',
      'not compared: new: not in a.json',
    ]);
  });

  it('compares results without samples number by number', () => {
    const results = [
      { name: 'batch 8', peakBytes: 100, spills: 0, loop: { fmas: 8 }, spread: [1, 2.5], note: 'x' },
      { name: 'batch 16', peakBytes: 200 },
    ];
    const later = [
      { name: 'batch 8', peakBytes: 150, spills: 3, loop: null, spread: [1, 2.25], note: 'y' },
      { name: 'batch 16', peakBytes: 200 },
    ];
    const plain = { results, controls: [] };
    const comparison = compareDocuments(document(plain), document({ ...plain, results: later }, 'b.json'));
    expect(comparison).toMatchObject({ changes: [], sameNumbers: 2, warnings: [] });
    expect(comparison.noise).toBeUndefined();
    expect(comparison.numbers).toEqual([
      { name: 'batch 8', number: 'peakBytes', before: 100, after: 150 },
      { name: 'batch 8', number: 'spills', before: 0, after: 3 },
      { name: 'batch 8', number: 'loop.fmas', before: 8, after: undefined },
      { name: 'batch 8', number: 'spread.1', before: 2.5, after: 2.25 },
    ]);
    const text = formatComparison(comparison);
    expect(text).toMatch(/batch 8: peakBytes +100 +150 +1\.50\n/);
    expect(text).toMatch(/batch 8: spills +0 +3 +–\n/);
    expect(text).toMatch(/batch 8: loop\.fmas +8 +– +–\n/);
    expect(text).toContain('numbers that are the same in both: 2\n');
    expect(text).toContain('no controls');
    const none = formatComparison(compareDocuments(document(plain), document(plain, 'b.json')));
    expect(none).toContain('\nnumbers that are the same in both: 6\n');
  });

  it('refuses runs of different benchmarks', () => {
    expect(() => compareDocuments(document(), document({ benchmark: 'infer' }, 'b.json'))).toThrow(
      "a.json is of benchmark 'matmul', b.json of 'infer': only runs of the same benchmark can be compared.",
    );
  });

  it('takes the benchmarks of whole reports in pairs, and names those without', () => {
    const suiteOf = (names: string[], file: string) =>
      parseDocuments(
        JSON.stringify({
          format: 1,
          suite: 'quick',
          documents: names.map((benchmark) => ({ ...base, benchmark })),
        }),
        file,
      );
    const comparisons = compareAll(
      suiteOf(['matmul', 'infer'], 'a.json'),
      suiteOf(['infer', 'load'], 'b.json'),
    );
    expect(comparisons.map(({ benchmark }) => benchmark)).toEqual(['infer']);
    expect(comparisons[0].warnings).toEqual([
      'not compared: matmul: in a.json alone',
      'not compared: load: in b.json alone',
    ]);
    expect(compareAll([document()], suiteOf(['infer', 'matmul'], 'b.json'))).toHaveLength(1);
    expect(() => compareAll([document()], suiteOf(['infer'], 'b.json'))).toThrow(
      "a.json is of benchmark 'matmul', b.json of 'infer'",
    );
    expect(() => suiteOf([], 'a.json')).toThrow('it has no documents');
  });

  it('fits a terminal', () => {
    const results = [{ name: 'attention_subgroup_backward_query', samplesMs: samples(0.001) }];
    const text = formatComparison(compareDocuments(document({ results }), document({ results })));
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('a document', () => {
  const text = (changes: object) => JSON.stringify({ ...base, ...changes });
  it.each([
    ['no JSON', '> hrm-webgpu bench\n{', 'no JSON ('],
    ['nothing', '', 'no JSON ('],
    ['another kind of JSON', '[1]', 'the whole is [1], expected an object'],
    ['null', 'null', 'the whole is null, expected an object'],
    ['no format', text({ format: undefined }), 'it has no format, this version reads format 1'],
    ['a later format', text({ format: 2 }), 'it has format 2, this version reads format 1'],
    ['no results', text({ results: undefined }), 'results is missing, expected an array'],
    [
      'a result without a name',
      text({ results: [{}] }),
      'results[0].name is missing, expected a line of text',
    ],
    [
      'a name that writes on the terminal',
      text({ results: [{ name: 'a\u001b[2J' }] }),
      'results[0].name is "a\\u001b[2J", expected a line of text',
    ],
    [
      'a name twice',
      text({ results: [{ name: 'a' }, { name: 'a' }] }),
      'results[1].name is "a" for the second time',
    ],
    [
      'a time below zero',
      text({ results: [{ name: 'a', samplesMs: [1, -1] }] }),
      'results[0].samplesMs[1] is -1, expected a positive number',
    ],
    [
      'a time that is too large for a number',
      text({ results: [{ name: 'a', samplesMs: [1] }] }).replace('[1]', '[1e999]'),
      'results[0].samplesMs[0] is null, expected a positive number',
    ],
    [
      'a number whose name writes on the terminal',
      text({ results: [{ name: 'a', '\u001b[2J': 1 }] }),
      'a name in results[0] is "\\u001b[2J", expected a line of text',
    ],
    ['no adapter', text({ environment: {} }), 'environment.adapter is missing, expected an object'],
    ['a control of text', text({ controls: ['x'] }), 'controls[0] is "x", expected an object'],
  ])('with %s is refused in one line', (_, source, message) => {
    let error: unknown;
    try {
      parseDocument(source, 'bad.json');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    const said = (error as Error).message;
    expect(said).toContain(`bad.json: is not what \`bench --json\` writes: `);
    expect(said).toContain(message);
    expect(said).not.toContain('\n');
    expect(said).not.toContain('\u001b');
  });

  it('may be nested deeply', () => {
    const deep = `${'['.repeat(1e5)}1${']'.repeat(1e5)}`;
    const source = text({ results: [{ name: 'a', deep: 'DEEP', b: 2 }] }).replace('"DEEP"', deep);
    expect(parseDocument(source, 'a.json').results.get('a')?.numbers).toEqual(new Map([['b', 2]]));
  });

  it('does not mind names of object properties', () => {
    const results = [{ name: '__proto__', samplesMs: [1] }];
    expect([...document({ results }).results.keys()]).toEqual(['__proto__']);
  });
});

describe('bench compare', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-compare-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  async function run(...args: string[]) {
    const said = { out: '', err: '' };
    const code = await main(['compare', ...args], {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
    });
    return { code, ...said };
  }
  const before = write('before.json', JSON.stringify(base));
  const slower = base.results.map(({ name, samplesMs }) => ({
    name,
    samplesMs: samplesMs.map((ms) => 1.5 * ms),
  }));
  const after = write('after.json', JSON.stringify({ ...base, results: slower }));

  it('compares each file with the first', async () => {
    const { code, out, err } = await run(before, after, before);
    expect(err).toBe('');
    expect(code).toBe(0); // a slower run is a finding, not a mistake
    const said = out.replace(/\s+/g, ' ');
    expect(said).toContain(`matmul: ${before} → ${after}`);
    expect(said).toContain(`matmul: ${before} → ${before}`);
    expect(out).toMatch(/naive +100 +150 +0\.667 \[[\d.]+, [\d.]+\] +slower/);
  });

  it('writes JSON', async () => {
    const { out } = await run('--json', before, after);
    expect(JSON.parse(out)).toMatchObject([{ benchmark: 'matmul', changes: [{ verdict: 'slower' }, {}] }]);
  });

  it('refuses a bad file with exit code 1', async () => {
    const bad = write('bad.json', 'not json');
    const { code, out, err } = await run(before, bad);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain(`bench: ${bad}: is not what`);
    expect((await run(before, folder)).err).toContain('is a folder, expected a file');
  });
});
