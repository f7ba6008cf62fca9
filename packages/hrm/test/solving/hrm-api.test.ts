/** The library's front door: HRM.load, solve, dispose. */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSource } from '../../src/formats/files/file-source.node.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import type { TensorFile } from '../../src/formats/tensor-file.ts';
import { DEFAULT_ARCH, type ModelConfig } from '../../src/model/config.ts';
import { initializeModel } from '../../src/model/init.ts';
import { HRM } from '../../src/solving/hrm.ts';
import type { Thought } from '../../src/solving/solve-options.ts';
import { encodeModel } from '../../src/training/checkpoint.ts';
import { fixtureBytes, fixturePath, userError } from '../formats/fixtures.ts';

const PUZZLE = '4...212315...4..636....5..4.5..6....';
const SOLUTION = '456321231546145263623415314652562134';
const rows = (text: string) =>
  Array.from({ length: 6 }, (_, row) =>
    Array.from(text.slice(6 * row, 6 * row + 6), (character) => (character === '.' ? 0 : Number(character))),
  );
const CHECKPOINT = fixturePath('trained-6x6/checkpoint');
const CONFIG = readFileSync(fixturePath('trained-6x6/all_config.yaml'), 'utf8');

let device: Device;
let model: HRM;
/** 256 test puzzles, and the published implementation's tokens and q after each of four segments. */
let predictions: TensorFile;

beforeAll(async () => {
  device = await openDevice();
  model = await HRM.load(fixturePath('trained-6x6'), { device });
  predictions = await openTensorFile(await fileSource(fixturePath('trained-6x6/predictions.safetensors')));
});
afterAll(async () => {
  model.dispose();
  await predictions.close();
  expect(device.tensors.size).toBe(0);
  device.close();
});

describe('HRM.load', () => {
  const solves = async (loaded: HRM) => {
    expect((await loaded.solve(rows(PUZZLE))).grid).toEqual(rows(SOLUTION));
    loaded.dispose();
  };

  it('takes a folder, a file, a file URL, bytes, a Blob, a File and an open file', async () => {
    const bytes = fixtureBytes('trained-6x6/checkpoint');
    const config = CONFIG;
    await solves(await HRM.load(fixturePath('trained-6x6'), { device }));
    await solves(await HRM.load(CHECKPOINT, { device }));
    await solves(await HRM.load(pathToFileURL(CHECKPOINT), { device }));
    await solves(await HRM.load(bytes, { device, config }));
    await solves(await HRM.load(bytes.slice().buffer, { device, config }));
    const blobPart = bytes as Uint8Array<ArrayBuffer>;
    await solves(await HRM.load(new Blob([blobPart]), { device, config }));
    await solves(await HRM.load(new File([blobPart], 'mine.pt'), { device, config }));
    const file = await openTensorFile(await fileSource(CHECKPOINT));
    await solves(await HRM.load(file, { device, config }));
    expect((await file.readF32('q_head.bias')).length).toBe(2); // still open
    await file.close();
  });

  it('downloads a URL and what lies beside it, and tells how far it is', async () => {
    const server = createServer((request, response) => {
      const name = request.url?.slice(1) ?? '';
      if (!['checkpoint', 'all_config.yaml'].includes(name)) return response.writeHead(404).end();
      const bytes = fixtureBytes(`trained-6x6/${name}`);
      return response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const progress: [number, number | undefined][] = [];
    await solves(await HRM.load(`${base}/checkpoint`, { device, onProgress: (...at) => progress.push(at) }));
    const size = fixtureBytes('trained-6x6/checkpoint').length;
    expect(progress.at(-1)).toEqual([size, size]);
    expect(new Set(progress.map(([, total]) => total)).size).toBe(1); // of the download alone
    await expect(HRM.load(`${base}/other`, { device })).rejects.toThrow(/\/other: .*the server answered 404/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const gone = userError(() => HRM.load(`${base}/checkpoint`, { device }));
    expect((await gone).message).toMatch(/cannot be downloaded: .+/);
  });

  it('tells how many bytes of the weights are there', async () => {
    const progress: number[] = [];
    let all = 0;
    const onProgress = (bytes: number, total = 0) => {
      progress.push(bytes);
      all = total;
    };
    (await HRM.load(CHECKPOINT, { device, onProgress })).dispose();
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    const weights = [...model.model.weights.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    expect([progress.at(-1), all]).toEqual([weights, weights]);
  });

  it('stops when it is aborted, and leaves nothing behind', async () => {
    const before = device.tensors.size;
    const reason = new Error('enough');
    await expect(HRM.load(CHECKPOINT, { device, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    await expect(HRM.load(CHECKPOINT, { device, signal: controller.signal, onProgress })).rejects.toBe(
      reason,
    );
    expect(device.tensors.size).toBe(before);
  });

  it("says what is missing or doesn't fit", async () => {
    const bytes = fixtureBytes('trained-6x6/checkpoint');
    const message = async (work: () => Promise<HRM>) => (await userError(work)).message;
    expect(await message(() => HRM.load('/nowhere', { device }))).toMatch(/no such file/);
    expect(await message(() => HRM.load(bytes, { device }))).toMatch(/all_config\.yaml.*'config'/);
    const wrong = CONFIG.replace(/H_layers: \d+/, 'H_layers: 7');
    expect(await message(() => HRM.load(bytes, { device, config: wrong }))).toMatch(/2 H layers.*: 7/);
    expect(await message(() => HRM.load(bytes, { device, config: CONFIG, task: 'arc' }))).toMatch(
      /reads 900 tokens of 8 kinds; the task 'arc' has 900 tokens of 12 kinds/,
    );
    expect(await message(() => HRM.load(new Uint8Array(20), { device }))).toMatch(/not a checkpoint/);
  });

  it('computes on a GPUDevice that was brought along, and leaves it usable', async () => {
    const brought = await HRM.load(CHECKPOINT, { device: device.gpu });
    expect((await brought.solve(rows(PUZZLE))).grid).toEqual(rows(SOLUTION));
    brought.dispose();
    brought.dispose();
    device.gpu.createBuffer({ size: 16, usage: 0x80 }).destroy();
    await device.stream.finish();
    expect((await model.solve(rows(PUZZLE))).grid).toEqual(rows(SOLUTION));
  });
});

describe('solve', () => {
  it('halts by itself, and tells of every segment', async () => {
    const thoughts: Thought[] = [];
    const onSegment = (thought: Thought) => thoughts.push(thought);
    const solution = await model.solve(rows(PUZZLE), { onSegment });
    expect(solution).toMatchObject({ grid: rows(SOLUTION), segments: thoughts.length, halted: true });
    expect(solution.qHalt).toBeGreaterThan(solution.qContinue);
    expect(thoughts.map(({ segment }) => segment)).toEqual([1, 2, 3, 4]);
    expect(thoughts.slice(0, -1).every(({ qHalt, qContinue }) => qHalt <= qContinue)).toBe(true);
    expect(thoughts.at(-1)).toMatchObject({ grid: solution.grid, qHalt: solution.qHalt, index: 0 });
  });

  it('answers many grids as the published implementation does, each halting by itself', async () => {
    const inputs = (await predictions.read('inputs')) as Int32Array;
    const puzzles = Array.from({ length: 48 }, (_, i) =>
      Int32Array.from(inputs.subarray(36 * i, 36 * i + 36)),
    );
    const published = await Promise.all(
      [0, 1, 2, 3].map(async (i) => ({
        tokens: (await predictions.read(`pred.${i}`)) as Int32Array,
        q: await predictions.readF32(`q.${i}`),
      })),
    );
    const solutions = await model.solve(puzzles, { batchSize: 20 });
    expect(solutions).toHaveLength(48);
    let early = 0;
    solutions.forEach(({ tokens, segments, qHalt, halted }, i) => {
      const halts = published.findIndex(({ q }) => q[2 * i] > q[2 * i + 1]);
      const last = halts < 0 ? 3 : halts;
      expect([segments, halted]).toEqual([last + 1, halts >= 0]);
      expect([...tokens]).toEqual([...published[last].tokens.subarray(36 * i, 36 * i + 36)]);
      // Logits of both implementations agree to about 1e-5 after four segments (test/parity.test.ts).
      expect(qHalt).toBeCloseTo(published[last].q[2 * i], 3);
      if (last < 3) early++;
    });
    expect(early).toBeGreaterThan(20);
  });

  it('thinks for as long as it is told, if it may not halt', async () => {
    const { segments, halted } = await model.solve(rows(PUZZLE), { maxSteps: 6, halt: false });
    expect([segments, halted]).toEqual([6, true]);
    expect(await model.solve(rows(PUZZLE), { maxSteps: 2 })).toMatchObject({ segments: 2, halted: false });
  });

  it('takes turns when it is called again meanwhile', async () => {
    const empty = rows('.'.repeat(36));
    const [first, second] = await Promise.all([
      model.solve(rows(PUZZLE)),
      model.solve([empty, rows(PUZZLE)]),
    ]);
    expect(first.grid).toEqual(rows(SOLUTION));
    expect(second[1].grid).toEqual(first.grid);
    expect(await model.solve([])).toEqual([]);
  });

  it('stops between segments when it is aborted, and goes on with the next call', async () => {
    const controller = new AbortController();
    let segments = 0;
    const onSegment = () => {
      segments += 1;
      controller.abort();
    };
    const stopped = model.solve(rows(PUZZLE), { onSegment, signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(segments).toBe(1);
    expect((await model.solve(rows(PUZZLE))).grid).toEqual(rows(SOLUTION));
  });

  it('says what is wrong with a grid or an option', async () => {
    const grid = rows(PUZZLE);
    const changed = (row: number, column: number, cell: number) =>
      grid.map((cells, r) => cells.map((old, c) => (r === row && c === column ? cell : old)));
    const cases: [() => Promise<unknown>, RegExp][] = [
      [() => model.solve(grid.slice(1)), /the grid has 5 rows of 6 cells; this model reads 6 rows of 6/],
      [() => model.solve([grid, changed(1, 2, 7)]), /grid 1: row 2, column 3 is 7, expected .* 0 to 6/],
      [() => model.solve(changed(0, 0, 1.5)), /row 1, column 1 is 1\.5/],
      [() => model.solve(grid.map((row, i) => (i === 2 ? row.slice(1) : row))), /row 3 has 5 cells/],
      [() => model.solve(new Int32Array(35)), /has 35 tokens; this model reads 36 tokens of 8 kinds/],
      [() => model.solve(new Int32Array(36).fill(8)), /token 0 is 8, expected 0 to 7/],
      [() => model.solve(PUZZLE as never), /expected rows of numbers/],
      [() => model.solve(grid, { maxSteps: 0 }), /maxSteps is 0, expected a whole number from 1/],
      [() => model.solve(grid, { puzzleIdentifier: 1 }), /puzzleIdentifier is 1, .* from 0 to 0/],
    ];
    for (const [work, message] of cases) expect((await userError(work)).message).toMatch(message);
  });

  it('cannot be used after dispose, also while it is solving', async () => {
    const own = await HRM.load(CHECKPOINT, { device });
    const running = own.solve(rows(PUZZLE), { maxSteps: 50, halt: false, onSegment: () => own.dispose() });
    await expect(running).rejects.toThrow(UserError);
    expect((await userError(() => own.solve(rows(PUZZLE)))).message).toMatch(/disposed of/);
  });
});

describe('tasks', () => {
  const tiny = (sizes: { vocab_size: number; seq_len: number }): ModelConfig => ({
    ...DEFAULT_ARCH,
    ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 2 },
    ...{ num_puzzle_identifiers: 3, ...sizes },
  });
  /** A fresh model, by way of a file of ours. */
  const loaded = async (config: ModelConfig) => {
    const fresh = await initializeModel(device, config, 1);
    const parts = await encodeModel(fresh);
    fresh.dispose();
    return HRM.load(new Blob(parts as Uint8Array<ArrayBuffer>[]), { device });
  };

  it('reads and answers mazes in cells', async () => {
    const maze = await loaded(tiny({ vocab_size: 6, seq_len: 25 }));
    expect(maze.task).toBe('maze');
    const grid = Array.from({ length: 5 }, (_, row) =>
      Array.from({ length: 5 }, (_, i) => 1 + ((row + i) % 5)),
    );
    const solution = await maze.solve(grid);
    expect(solution.grid.flat()).toEqual([...solution.tokens]);
    expect(solution.grid).toHaveLength(5);
    expect((await userError(() => maze.solve(grid.map((row) => row.map(() => 0))))).message).toMatch(
      /from 1 to 5/,
    );
    maze.dispose();
  });

  it('puts ARC grids on the canvas and crops the answers', async () => {
    const arc = await loaded(tiny({ vocab_size: 12, seq_len: 900 }));
    expect(arc.task).toBe('arc');
    const grid = [
      [0, 1, 2],
      [3, 4, 9],
    ];
    const canvas = new Int32Array(900);
    canvas.set([2, 3, 4, 1], 0);
    canvas.set([5, 6, 11, 1], 30);
    canvas.set([1, 1, 1], 60);
    const fromGrid = await arc.solve(grid, { puzzleIdentifier: 2 });
    const fromTokens = await arc.solve(canvas, { puzzleIdentifier: 2 });
    expect(fromGrid.tokens).toEqual(fromTokens.tokens);
    const height = fromGrid.grid.length;
    for (let row = 0; row < height; row++) {
      const tokens = fromGrid.tokens.subarray(30 * row, 30 * row + fromGrid.grid[0].length);
      expect(fromGrid.grid[row]).toEqual([...tokens].map((token) => token - 2));
    }
    expect((await userError(() => arc.solve([[0, 10]]))).message).toMatch(/the grid\[0\]\[1\] is "10"/);
    arc.dispose();
  });

  it('takes the tokens of anything else as they are, in the shape of the grid', async () => {
    const other = await loaded(tiny({ vocab_size: 9, seq_len: 6 }));
    expect(other.task).toBe('none');
    const grid = [
      [0, 8, 1],
      [2, 3, 4],
    ];
    const solution = await other.solve(grid);
    expect(solution.grid.map((row) => row.length)).toEqual([3, 3]);
    expect(solution.grid.flat()).toEqual([...solution.tokens]);
    expect((await userError(() => other.solve([[1, 2]]))).message).toMatch(
      /1 rows of 2 cells.*reads 6 cells/,
    );
    other.dispose();
  });
});

describe('HRM.solve with guesses', () => {
  const HARD = '.5.31.....656...3......6.42...5...41';

  it('takes the first proven one, and tells of all', async () => {
    const heard: [number, number, boolean | undefined][] = [];
    const thoughts: [guess: number, segment: number][] = [];
    const solution = await model.solve(rows(HARD), {
      guesses: 16,
      onGuess: ({ guess, proven }, index) => heard.push([index, guess, proven]),
      onSegment: ({ guess, segment }) => thoughts.push([guess, segment]),
    });
    expect(solution).toMatchObject({ guess: 2, rule: 'rules', proven: true, segments: 4 });
    expect(Object.keys(solution.guesses[0].symmetry)).toEqual([]);
    expect(Object.keys(solution.symmetry).length).toBeGreaterThan(0);
    expect(heard).toEqual([0, 1, 2, 3].map((guess) => [0, guess, guess === 2]));
    expect(solution.guesses.map(({ guess, proven }) => [0, guess, proven])).toEqual(heard);
    expect(thoughts.filter(([guess]) => guess === 2).map(([, segment]) => segment)).toEqual([1, 2, 3, 4]);
    const [first] = solution.guesses;
    const alone = await model.solve(rows(HARD));
    expect(alone).toMatchObject({ guess: 0, rule: 'only', tokens: first.tokens, qHalt: first.qHalt });
    expect(alone.proven).toBeUndefined(); // nobody asked
  });

  it('gives a puzzle the same guesses alone and among others, and by seed', async () => {
    const options = { guesses: 4, noise: 0.5, select: 'vote', seed: 3 } as const;
    const alone = await model.solve(rows(HARD), options);
    const [, among] = await model.solve([rows(PUZZLE), rows(HARD)], { ...options, batchSize: 3 });
    expect(among).toEqual(alone);
    const other = await model.solve(rows(HARD), { ...options, seed: 4 });
    expect(other.guesses[0]).toEqual(alone.guesses[0]);
    expect(other.guesses[1].qHalt).not.toBe(alone.guesses[1].qHalt);
  });

  it('takes any rule, a checker of the caller, and stops when told to', async () => {
    const solution = await model.solve(rows(HARD), {
      guesses: 4,
      select: 'rules',
      checker: (_, answer) => answer[0] === 99,
    });
    expect(solution.proven).toBe(false);
    expect(solution.rule).not.toBe('rules');
    expect(solution.guesses).toHaveLength(4);
    const steady = await model.solve(rows(HARD), { guesses: 3, select: 'steady', halt: false });
    expect(steady).toMatchObject({ rule: 'steady', segments: 4 });
    const stop = new AbortController();
    const stopped = model.solve(rows(HARD), {
      ...{ guesses: 16, signal: stop.signal },
      onGuess: () => stop.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
  });

  it('refuses what makes no sense', async () => {
    const refused = async (options: object) =>
      (await userError(() => model.solve(rows(HARD), options))).message;
    expect(await refused({ guesses: 0 })).toMatch(/guesses is 0, expected a whole number from 1/);
    expect(await refused({ guesses: 2, noise: -1 })).toMatch(/noise is -1/);
    expect(await refused({ guesses: 2, select: 'labels' })).toMatch(/no selection 'labels'/);
    const plain = HRM.of(model.model, 'none');
    await expect(plain.solve(new Int32Array(36), { guesses: 2, select: 'rules' })).rejects.toThrow(
      /the task 'none' has none: choose auto/,
    );
    plain.dispose();
  });
});

describe('HRM.load of several checkpoints', () => {
  it('has them take turns', async () => {
    const other = await initializeModel(device, model.config, 7);
    const bytes = Uint8Array.from(Buffer.concat(await encodeModel(other)));
    other.dispose();
    const both = await HRM.load([CHECKPOINT, bytes], { device });
    const { guesses } = await both.solve(rows(PUZZLE), { guesses: 4, select: 'vote' });
    expect(guesses.map(({ checkpoint }) => checkpoint)).toEqual([0, 1, 0, 1]);
    expect(guesses.map(({ proven }) => proven)).toEqual([true, false, true, false]);
    both.dispose();
  });

  it('refuses others, by name, and none at all', async () => {
    const smaller = await initializeModel(device, { ...model.config, H_layers: 1 }, 7);
    const bytes = Uint8Array.from(Buffer.concat(await encodeModel(smaller)));
    smaller.dispose();
    const refused = HRM.load([CHECKPOINT, bytes], { device });
    await expect(refused).rejects.toThrow(
      /the checkpoint has H_layers 1, and .*checkpoint 2: .* one architecture/,
    );
    await expect(HRM.load([], { device })).rejects.toThrow(/expected one checkpoint at least/);
  });
});
