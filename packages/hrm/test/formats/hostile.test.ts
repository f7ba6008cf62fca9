/** Files that broke something once. */
import { openDevice, UserError } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { parseTaskFile } from '../../src/data/arc/arc-files.ts';
import { parseMetadata } from '../../src/data/dataset/dataset-metadata.ts';
import { parseNpy } from '../../src/data/dataset/npy.ts';
import { parseJsonExample } from '../../src/data/input/jsonl.ts';
import { parseCsvLine } from '../../src/data/sudoku/csv.ts';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { onlySolution } from '../../src/data/sudoku/sudoku-solutions.ts';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { parseJson } from '../../src/formats/json.ts';
import { encodeSafetensors, openSafetensors } from '../../src/formats/safetensors.ts';
import type { TensorFile } from '../../src/formats/tensor-file.ts';
import { HRM } from '../../src/index.ts';
import { DEFAULT_ARCH } from '../../src/model/config.ts';
import { loadModel } from '../../src/model/load.ts';
import { parameterShapes } from '../../src/model/parameters.ts';
import { parsePuzzle } from '../../src/puzzles/parse-puzzle.ts';
import { readConfig } from '../../src/training/checkpoint.ts';

const ESCAPES = '\u001b]0;pwned\u0007\u001b[31m';
const deep = (count: number) => '['.repeat(count) + ']'.repeat(count);
const bytes = (text: string) => new TextEncoder().encode(text);

/** A safetensors file with a header of one's own. */
function withHeader(header: string): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes(header).length));
  return new Uint8Array(Buffer.concat([length, bytes(header)]));
}

const open = (file: Uint8Array) => openSafetensors(bytesSource(file, 'file'));

async function messageOf(read: () => unknown): Promise<string> {
  try {
    await read();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error('it was read');
}

it('a dtype that is an object, or nested without end', async () => {
  const entry = (dtype: string) => withHeader(`{"a":{"dtype":${dtype},"shape":[],"data_offsets":[0,0]}}`);
  expect(await messageOf(() => open(entry('{"toString":1}')))).toContain('dtype {"toString":1}, which');
  expect(await messageOf(() => open(entry(deep(20_000))))).toContain('nested more than 64 deep');
});

it('metadata that are nested without end, or would steer a terminal', async () => {
  const metadata = (config: string) =>
    withHeader(JSON.stringify({ __metadata__: { format: 'hrm-webgpu/1', config } }));
  const nested = await open(metadata(`{"a":${deep(100_000)}}`));
  expect(await messageOf(() => readConfig(nested))).toContain('metadata are damaged');
  const steering = await open(metadata(JSON.stringify({ [ESCAPES]: 1 })));
  const message = await messageOf(() => readConfig(steering));
  expect(message).toContain('\\u{1b}]0;pwned\\u{7}\\u{1b}[31m is not a known configuration key');
});

it('JSON that is nested without end, in everything that is JSON', async () => {
  const text = deep(100_000);
  expect(() => parseJson(text)).toThrow(/nested more than 64 deep/);
  expect(() => parseJson(`"${'['.repeat(1000)}\\"["`)).not.toThrow();
  expect(await messageOf(() => parseTaskFile(`{"train":[],"test":[{"input":${text}}]}`, 'f', 'n'))).toContain(
    'nested',
  );
  expect(await messageOf(() => parseMetadata(bytes(`{"sets":${text}}`), 'f'))).toContain('nested');
  expect(parseJsonExample(`{"input":${text},"output":[[1]]}`)).toContain('nested');
});

it('what would steer a terminal, wherever a message repeats it', async () => {
  const raw = /(?![\n\t])[\p{Cc}\p{Cf}]/u;
  const messages = [
    await messageOf(() => parseTaskFile(`{"test":${ESCAPES}`, 'f', 'n')),
    await messageOf(() =>
      parseNpy(
        new Uint8Array(Buffer.from(`\x93NUMPY\x01\x00\x46\x00{'${ESCAPES}': 1}`.padEnd(80), 'latin1')),
        'f',
      ),
    ),
    await messageOf(() => parsePuzzle(ESCAPES.repeat(3), { name: `f${ESCAPES}` })),
    parseJsonExample(
      `{"${ESCAPES.replaceAll('\u001b', '\\u001b').replaceAll('\u0007', '\\u0007')}":1}`,
    ) as string,
    new UserError(`a\u202eb\u0085c${ESCAPES}\td\n`).message,
  ];
  for (const message of messages) expect(message).not.toMatch(raw);
});

it('lines without end: a maze of one column, a field of ten megabytes', async () => {
  expect(await messageOf(() => parsePuzzle('#\n'.repeat(300_000), { name: 'f' }))).toMatch(
    /300000 rows of up to 1 cells/,
  );
  expect(parseCsvLine(`"${'q'.repeat(10 ** 7)}",question,answer`)?.map(({ length }) => length)).toEqual([
    10 ** 7,
    8,
    6,
  ]);
  expect(parseCsvLine(`"${'""'.repeat(10 ** 6)}"`)?.[0]).toHaveLength(10 ** 6);
});

it('sizes that no tensor has: nothing is made for them', async () => {
  const config = {
    ...DEFAULT_ARCH,
    ...{
      hidden_size: 4,
      num_heads: 2,
      H_layers: 1,
      L_layers: 1,
      puzzle_emb_ndim: 4,
      vocab_size: 6,
      seq_len: 16,
    },
    num_puzzle_identifiers: 1,
  };
  const tensors = new Map(
    [...parameterShapes(config)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      return [name, { dtype: 'F32' as const, shape, data }];
    }),
  );
  const device = await openDevice();
  const load = (change: object) => {
    const metadata = { format: 'hrm-webgpu/1', config: JSON.stringify({ ...config, ...change }) };
    return HRM.load(new Blob(encodeSafetensors(tensors, metadata) as BlobPart[]), { device });
  };
  const before = device.memory.peakBytes;
  expect(await messageOf(() => load({ num_puzzle_identifiers: 1e12 }))).toMatch(
    /asks for \[1000000000000, 4\]/,
  );
  expect(await messageOf(() => load({ H_cycles: 1e6 }))).toMatch(
    /a segment would pass \d+ blocks.*at most 10000/,
  );
  expect(await messageOf(() => load({ seq_len: 1e8 }))).toMatch(/positions, at most 65536/);
  expect(await messageOf(() => load({ halt_max_steps: 1e6 }))).toMatch(
    /halt_max_steps must be at most 10000/,
  );
  expect(device.memory.peakBytes).toBe(before);
  device.close();
});

it('a Sudoku without a solution that a search would take minutes to prove', () => {
  const cells = '.....5.8....6.1.43..........1.5........1.6...3.......553.....61........4.........';
  const grid = Uint8Array.from(cells, (cell) => (cell === '.' ? 0 : Number(cell)));
  expect(onlySolution(sudokuShape(9), grid)).toBe('unknown');
});

it('weights that the machine has no memory for', async () => {
  const device = await openDevice();
  const { seq_len, vocab_size } = { seq_len: 16, vocab_size: 6 };
  const config = { ...DEFAULT_ARCH, seq_len, vocab_size, num_puzzle_identifiers: 1 };
  // The sizes alone are looked at: nothing of them is there.
  const shapes = parameterShapes(config);
  const file = {
    ...{ name: 'f', format: 'safetensors' as const, names: [...shapes.keys()], metadata: {} },
    info: (name: string) => ({ dtype: 'F32' as const, shape: shapes.get(name) ?? [] }),
  } as unknown as TensorFile;
  const small = Object.create(device, { freeMemory: { value: 100e6 } }) as typeof device;
  expect(await messageOf(() => loadModel(small, config, file))).toMatch(
    /^f: its weights take 218 MB on the GPU, which is this machine's processor, and 100 MB of memory are free$/,
  );
  expect(device.freeMemory).toBeGreaterThan(1e6);
  device.close();
});
