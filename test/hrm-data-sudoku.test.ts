import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { readIdentifiers } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import { parseNpy } from '../packages/hrm/src/data/dataset/npy.ts';
import { rulesBroken, sudokuGrid, sudokuShape } from '../packages/hrm/src/data/sudoku/sudoku.ts';
import {
  at,
  FOUR,
  HARD,
  hrmData,
  rows,
  setOf,
  succeed,
  table,
  tokensOf,
  type WholeSet,
  write,
} from './run-hrm-data.ts';

// Before the terminal's colours are decided on.
vi.hoisted(() => {
  process.env.NO_COLOR = '1';
});

describe('hrm data sudoku', () => {
  it('builds train and test from published tables, files exactly as published', async () => {
    const csv = write('train.csv', table(FOUR));
    const test = write('test.csv', table(FOUR.slice(1)));
    const args = ['--csv', csv, '--test-csv', test, '--size', '4', '--min-difficulty', '2', '--augment', '5'];
    const run = await succeed(['sudoku', ...args, '--out', at('tables')]);
    expect(run.stdout).toMatch(/train: 3 puzzles, 18 examples with their copies\ntest: 2 puzzles\n/);

    expect(await readIdentifiers(at('tables'))).toEqual(['<blank>']);
    expect(JSON.parse(readFileSync(at('tables/train/dataset.json'), 'utf8'))).toEqual({
      pad_id: 0,
      ignore_label_id: 0,
      blank_identifier_id: 0,
      vocab_size: 6,
      seq_len: 16,
      task: 'sudoku',
      num_puzzle_identifiers: 1,
      total_groups: 3,
      mean_puzzle_examples: 1,
      sets: ['all'],
    });
    const npy = (file: string) => parseNpy(new Uint8Array(readFileSync(at(`tables/${file}.npy`))), file);
    expect(npy('train/all__inputs')).toMatchObject({ dtype: 'uint8', shape: [18, 16] });
    expect(npy('train/all__labels')).toMatchObject({ dtype: 'uint8', shape: [18, 16] });
    expect(npy('train/all__puzzle_identifiers')).toMatchObject({ dtype: 'int32', shape: [18] });
    expect(npy('train/all__puzzle_indices')).toMatchObject({ dtype: 'int32', shape: [19] });
    expect([...npy('train/all__group_indices').data]).toEqual([0, 6, 12, 18]);

    // A group is the original first; what has a rating below 2 is left out; tests are not augmented.
    const train = await setOf('tables', 'train');
    const kept = FOUR.filter(([, , rating]) => Number(rating) >= 2);
    const inputs = rows(train.inputs, 16);
    expect([0, 6, 12].map((row) => inputs[row])).toEqual(
      kept.map(([question]) => tokensOf(String(question))),
    );
    expect(new Set(inputs.slice(0, 6)).size).toBeGreaterThan(3);
    for (const label of rows(train.labels, 16)) {
      expect(rulesBroken(sudokuShape(4), sudokuGrid(label.split(' ').map(Number)))).toEqual([]);
    }
    const held = await setOf('tables', 'test');
    expect(rows(held.inputs, 16)).toEqual(kept.slice(1).map(([question]) => tokensOf(String(question))));
  });

  it('subsamples for training only, the same for the same seed', async () => {
    const csv = write('many.csv', table(Array.from({ length: 40 }, (_, i) => FOUR[i % 4])));
    const args = [
      'sudoku',
      '--csv',
      csv,
      '--test-csv',
      csv,
      '--size',
      '4',
      '--subsample',
      '8',
      '--augment',
      '2',
    ];
    for (const [out, seed] of [
      ['s1', '1'],
      ['s1again', '1'],
      ['s2', '2'],
    ]) {
      await succeed([...args, '--seed', seed, '--out', at(out)]);
    }
    const [one, again, two] = await Promise.all(['s1', 's1again', 's2'].map((out) => setOf(out, 'train')));
    expect(one.inputs).toEqual(again.inputs);
    expect(one.inputs).not.toEqual(two.inputs);
    expect(one.groupIndices).toEqual(Int32Array.of(0, 3, 6, 9, 12, 15, 18, 21, 24));
    expect((await setOf('s1', 'test')).groupIndices).toHaveLength(41);
  });

  it('solves puzzle lists and keeps some for the test', async () => {
    const list = write(
      'hard.txt',
      `# the hardest\n\n${HARD.join('\r\n')}\r\n${HARD[0].replaceAll('.', '0')}\n`,
    );
    await succeed(['sudoku', '--puzzles', list, '--test', '1', '--out', at('list')]);
    const train = await setOf('list', 'train');
    const test = await setOf('list', 'test');
    // The first puzzle stands there twice: whichever is drawn, no puzzle is in both.
    const trained = new Set(rows(train.inputs, 81));
    expect(rows(test.inputs, 81).some((row) => trained.has(row))).toBe(false);
    expect([...trained, ...rows(test.inputs, 81)].every((row) => HARD.map(tokensOf).includes(row))).toBe(
      true,
    );
    for (const set of [train, test]) {
      expect(rulesBroken(sudokuShape(9), sudokuGrid(set.labels.subarray(0, 81)))).toEqual([]);
      expect(set.labels.every((token, cell) => token > 1 && [1, token].includes(set.inputs[cell]))).toBe(
        true,
      );
    }
  });

  it('reads tables with other names of the columns, in any order, with more of them', async () => {
    await succeed([
      'sudoku',
      '--csv',
      write('published.csv', table(FOUR)),
      '--size',
      '4',
      '--out',
      at('published'),
    ]);
    const expected = await setOf('published', 'train');
    const header = ['quizzes,solutions', 'puzzle,solution', 'Puzzle,Solution'];
    for (const [i, names] of header.entries()) {
      const plain = write(`plain${i}.csv`, [names, ...FOUR.map(([q, a]) => `${q},${a}`)].join('\r\n'));
      const [question, answer] = names.split(',');
      const more = write(
        `more${i}.csv`,
        [`id,${answer},clues,${question}`, ...FOUR.map(([q, a]) => `7,${a},"1, 2",${q}`)].join('\n'),
      );
      for (const csv of [plain, more]) {
        const out = `${csv.split('/').at(-1)}-out`;
        await succeed(['sudoku', '--csv', csv, '--size', '4', '--out', at(out)]);
        expect(await setOf(out, 'train')).toEqual(expected);
      }
    }
  });

  it('reads lists in every form of text as the same puzzles', async () => {
    const rowsOf = (cells: string) => cells.match(/.{9}/g) as string[];
    const forms = {
      lines: HARD.join('\n'),
      grids: HARD.map((cells) => `[Puzzle]\r\n${rowsOf(cells).join('\r\n')}\r\n`).join(''),
      boxes: HARD.map((cells) =>
        rowsOf(cells.replaceAll('.', '_'))
          .map((row, i) => `${i % 3 ? '' : '+-----+-----+-----+\n'}|${row.match(/.{3}/g)!.join('|')}|\n`)
          .join(''),
      ).join('\n'),
      json: JSON.stringify(
        HARD.map((cells) => rowsOf(cells).map((row) => [...row].map((cell) => Number(cell) || 0))),
      ),
    };
    const sets = [];
    for (const [name, text] of Object.entries(forms)) {
      await succeed(['sudoku', '--puzzles', write(`${name}.txt`, text), '--out', at(`form-${name}`)]);
      sets.push(await setOf(`form-${name}`, 'train'));
    }
    expect(rows(sets[0].inputs, 81)).toEqual(HARD.map(tokensOf));
    for (const set of sets) expect(set).toEqual(sets[0]);
  });

  it('lists what is wrong with every line, and leaves bad ones out when asked to', async () => {
    const several = `.${HARD[0].slice(1)}`;
    const bad = [several, `9${'.'.repeat(7)}9${'.'.repeat(72)}`, '123', HARD[1].replace('9', 'y')];
    const list = write('bad.txt', [HARD[0], ...bad, ...Array(20).fill('.'.repeat(81)), HARD[1]].join('\n'));
    const refused = await hrmData(['sudoku', '--puzzles', list, '--out', at('bad')]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /bad\.txt: 24 bad lines:\n {2}line 2: the puzzle has more than one solution\n/,
    );
    expect(refused.stderr).toMatch(
      /line 3: the puzzle has no solution\n {2}line 4: has 3 characters, expected 81/,
    );
    expect(refused.stderr).toMatch(
      /line 5: character 1 is "y", expected.*line 21: .*\n {2}and 4 more\nNothing was written/s,
    );
    expect(existsSync(at('bad'))).toBe(false);
    const skipped = await succeed(['sudoku', '--puzzles', list, '--skip-bad', '--out', at('bad')]);
    expect(skipped.stderr).toMatch(/left out 24 bad lines/);
    expect(rows((await setOf('bad', 'train')).inputs, 81)).toEqual([HARD[0], HARD[1]].map(tokensOf));
  });

  it('proves that answers of tables are the only ones, of the puzzles that are drawn, unless they are trusted', async () => {
    const ambiguous = ['12..34....4...2.', '1234341221434321', 5];
    const csv = write('ambiguous.csv', table([FOUR[0], ambiguous, FOUR[1], ambiguous]));
    const args = ['sudoku', '--csv', csv, '--size', '4', '--out'];
    const refused = await hrmData([...args, at('ambiguous')]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    const several = 'the puzzle has more than one solution';
    expect(refused.stderr).toContain(
      `ambiguous.csv: 2 bad lines:\n  line 3: ${several}\n  line 5: ${several}\nNothing was written`,
    );
    expect(existsSync(at('ambiguous'))).toBe(false);
    const skipped = await succeed([...args, at('ambiguous'), '--skip-bad', '--augment', '2']);
    expect(skipped.stdout).toContain('train: 2 puzzles, 6 examples');
    expect(skipped.stderr).toContain('left out 2 bad lines');
    expect((await succeed([...args, at('trusted'), '--trust-answers'])).stdout).toContain('train: 4 puzzles');

    const rare = write('rare.csv', table([...Array.from({ length: 500 }, () => FOUR[0]), ambiguous]));
    const draw = ['sudoku', '--csv', rare, '--size', '4', '--subsample', '2', '--out'];
    expect((await succeed([...draw, at('drawn')])).stdout).toContain('train: 2 puzzles');
    const list = await hrmData(['sudoku', '--puzzles', csv, '--trust-answers', '--out', at('no')]);
    expect(list.stderr).toContain('--trust-answers does not go with --puzzles');
  });

  it('makes puzzles', async () => {
    const args = ['sudoku', '--generate', '30', '--test', '10', '--size', '6', '--blanks', '5-9'];
    await succeed([...args, '--out', at('six')]);
    const blanks = (set: WholeSet) =>
      rows(set.inputs, 36).map((row) => row.split(' ').filter((t) => t === '1').length);
    expect(blanks(await setOf('six', 'train'))).toEqual(Array.from({ length: 30 }, (_, i) => 5 + (i % 5)));
    expect((await setOf('six', 'test')).groupIndices).toHaveLength(11);
  });
});
