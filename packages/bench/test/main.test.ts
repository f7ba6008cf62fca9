import { describe, expect, it } from 'vitest';
import { benchmarks } from '../src/benchmarks.ts';
import { main } from '../src/main.ts';

async function run(...args: string[]) {
  const said = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
}

describe('the bench command', () => {
  it.each([[[]], [['--help']]])('lists the benchmarks for %j', async (args) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out).toMatch(/^usage: .*\n\n {2}matmul {3}/);
  });

  it('describes one benchmark', async () => {
    const { code, out } = await run('matmul', '--help');
    expect(code).toBe(0);
    expect(out).toContain('compared with float64');
  });

  it.each([...benchmarks.map(({ name }) => name), 'all', 'compare'])(
    'tells in 80 columns what %s does, and how long that takes',
    async (name) => {
      const { code, out } = await run(name, '--help');
      expect(code).toBe(0);
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      if (name === 'all') expect(out).toMatch(/^ {2}all +\d+:\d\d +\d+:\d\d$/m);
      else if (name !== 'compare') expect(out.replace(/\s+/g, ' ')).toMatch(/Takes about \d+ (s|min)/);
    },
  );

  it.each([
    [['matmull'], "bench: there is no benchmark 'matmull'. There are: matmul,"],
    [['matmul', '--jsno'], "bench: Unknown option '--jsno'"],
    [['matmul', 'infer'], "bench: benchmark 'matmul' has no part 'infer'; it has no parts."],
    [
      ['attention', '82', '83'],
      "bench: benchmark 'attention' has no part '83'; its parts are: 82, 301, 901.",
    ],
    [['kernel'], "bench: benchmark 'kernel': name a kernel. There are: accumulate, "],
    [['kernel', 'nothing'], "bench: benchmark 'kernel' has no part 'nothing'; its parts are: accumulate, "],
    [['isa', '--quick'], "bench: benchmark 'isa' has no quick form: leave --quick out."],
    [['all', 'matmul'], "bench: all: unexpected 'matmul'"],
    [['all', '--json'], 'bench: all: writes report.json by itself'],
    [['matmul', '--out', 'nowhere/a.json'], 'bench: --out nowhere/a.json: there is no folder '],
    [['compare', 'a.json', 'b.json', '--quick'], 'bench: compare: knows --json alone'],
    [['compare', 'a.json', 'b.json', '--shaders', 'mine'], 'bench: compare: knows --json alone'],
    [
      ['isa', '--shaders', 'mine'],
      "bench: benchmark 'isa' has no use for other shaders: leave --shaders out.",
    ],
    [['matmul', '--shaders', 'nowhere'], 'bench: nowhere: no such folder'],
    [['compare', 'a.json'], 'bench: compare: name at least two files'],
    [['compare', 'nowhere.json', 'b.json'], 'bench: nowhere.json: cannot read: no such file or folder'],
  ])('refuses %j with a message', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain(message);
  });
});
