// What reads files that somebody else made: for each a corpus of good and bad ones, and how it is read.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openDevice, UserError } from '../../packages/core/dist/index.js';
import { readNotes } from '../../packages/hrm/dist/cli/train/loop/run-notes.js';
import { parseTaskFile } from '../../packages/hrm/dist/data/arc/arc-files.js';
import { BadRows } from '../../packages/hrm/dist/data/dataset/bad-rows.js';
import { parseMetadata } from '../../packages/hrm/dist/data/dataset/dataset-metadata.js';
import { encodeNpy, parseNpy } from '../../packages/hrm/dist/data/dataset/npy.js';
import { parseJsonExample, parseJsonHeader } from '../../packages/hrm/dist/data/input/jsonl.js';
import { PuzzleTable } from '../../packages/hrm/dist/data/sudoku/puzzle-csv.js';
import { sudokuShape } from '../../packages/hrm/dist/data/sudoku/sudoku.js';
import { sudokusIn } from '../../packages/hrm/dist/data/sudoku/sudoku-text.js';
import { bytesSource } from '../../packages/hrm/dist/formats/files/byte-source.js';
import { parseJson } from '../../packages/hrm/dist/formats/json.js';
import { openTensorFile } from '../../packages/hrm/dist/formats/open-checkpoint.js';
import { readPickle } from '../../packages/hrm/dist/formats/torch/pickle.js';
import { readZipEntries } from '../../packages/hrm/dist/formats/torch/zip.js';
import { parseYaml } from '../../packages/hrm/dist/formats/yaml/yaml.js';
import { HRM } from '../../packages/hrm/dist/index.js';
import { parseAllConfig } from '../../packages/hrm/dist/model/parse-config.js';
import { parsePuzzle } from '../../packages/hrm/dist/puzzles/parse-puzzle.js';
import { parseLog, parseSessions } from '../../packages/hrm/dist/runs/run-lines.js';
import { parseSamples } from '../../packages/hrm/dist/runs/samples.js';
import { readMetadata } from '../../packages/hrm/dist/training/checkpoint.js';
import { parseChoices } from '../../packages/hrm/dist/tuning/tuning.js';
import { pickleOf, smallCheckpoint, torchFileOf } from './corpus.mjs';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
const file = (path) => new Uint8Array(readFileSync(fixtures + path));
const text = (...texts) => texts.map((one) => new TextEncoder().encode(one));
const textOf = (bytes) => new TextDecoder().decode(bytes);

/** What other programs' files look like (issue's own in test/fixtures/foreign). */
const foreign = readdirSync(`${fixtures}foreign`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `${entry.parentPath}/${entry.name}`);
const foreignOf = (ending) =>
  foreign.filter((path) => path.endsWith(ending)).map((path) => new Uint8Array(readFileSync(path)));

/** All that is in a file of tensors, its notes too. */
async function readTensors(bytes) {
  const opened = await openTensorFile(bytesSource(bytes, 'input'));
  for (const name of opened.names) for await (const _ of opened.piecesF32(name));
  const metadata = readMetadata(opened);
  if (metadata?.training) readNotes(metadata.training.notes, 'input');
}

let device;

export const TARGETS = {
  safetensors: {
    corpus: () => [smallCheckpoint({ sums: false }), smallCheckpoint({ sums: true })],
    read: readTensors,
  },
  torch: { corpus: () => [torchFileOf(), ...foreignOf('.pt')], read: readTensors },
  zip: { corpus: () => [torchFileOf()], read: (bytes) => readZipEntries(bytesSource(bytes, 'input')) },
  pickle: { corpus: () => [pickleOf()], read: (bytes) => readPickle(bytes, 'input') },
  npy: {
    corpus: () => [
      encodeNpy(new Uint8Array(24), [2, 12]),
      encodeNpy(Int32Array.of(1, -2, 3), [3]),
      encodeNpy(new Int16Array(0), [0, 4]),
    ],
    read: (bytes) => parseNpy(bytes, 'input'),
  },
  dataset: {
    corpus: () =>
      text(
        JSON.stringify({
          ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0, vocab_size: 6, seq_len: 16 },
          ...{
            num_puzzle_identifiers: 1,
            total_groups: 3,
            mean_puzzle_examples: 1,
            sets: ['all'],
            task: 'sudoku',
          },
          symmetries: [{ name: 'turn', cells: Array.from({ length: 16 }, (_, i) => 15 - i) }],
        }),
      ),
    read: (bytes) => parseMetadata(bytes, 'input'),
  },
  yaml: {
    corpus: () => [
      file('trained-6x6/all_config.yaml'),
      file('curve-4x4/all_config.yaml'),
      ...text('a: [1, {b: "c"}]\nd:\n  - x\n  - |\n    y\n'),
    ],
    read(bytes) {
      parseAllConfig(parseYaml(textOf(bytes), 'input'), 'input');
    },
  },
  csv: {
    corpus: () =>
      text(
        'source,question,answer,rating\nx,12..34....43..21,1234341221434321,0\n"a""b","1.",".",7\n',
        'puzzle,solution\n1,2\n',
      ),
    read(bytes) {
      const [header, ...rows] = textOf(bytes).split('\n');
      const table = new PuzzleTable(header, 'input', true);
      for (const row of rows) table.parse(row);
    },
  },
  arc: {
    corpus: () => [
      ...text(
        '{"train":[{"input":[[1,2],[3,4]],"output":[[0]]}],"test":[{"input":[[5]],"output":[[6]]}]}',
        '{"abc":{"train":[],"test":[{"input":[[9]]}]}}',
        '[{"input":[[1]],"output":[[2]]}]',
      ),
    ],
    read: (bytes) => parseTaskFile(textOf(bytes), 'input', 'name'),
  },
  jsonl: {
    corpus: () =>
      text(
        '{"rule":"latin","symmetries":[{"name":"s","tokens":[0,2,1]}]}\n{"input":[[1,2],[3,4]],"output":[[4,3],[2,1]],"task":"t","split":"test"}\n',
      ),
    read(bytes) {
      const bad = new BadRows('input', false);
      textOf(bytes)
        .split('\n')
        .forEach((line, i) => {
          const header = i === 0 ? parseJsonHeader(line) : undefined;
          if (typeof header === 'object') return;
          const found = parseJsonExample(line);
          if (typeof found === 'string') bad.add(i + 1, found);
        });
      bad.check();
    },
  },
  puzzle: {
    corpus: () =>
      text(
        '12..34....43..21',
        '#####\n#S G#\n#   #\n#   #\n#####',
        '1 2|3 4\n---+---\n3 4|1 2\n2 1|4 3\n4 3|2 _',
        '[[5,3,0],[0,0,0],[1,2,3]]',
        '{"train":[],"test":[{"input":[[1,2]]}]}',
        '1 2 3\n4 5 6\n7 8 9',
      ),
    read: (bytes) => parsePuzzle(textOf(bytes), { name: 'input' }),
  },
  sudokus: {
    corpus: () =>
      text(
        '# a list\n1...............\n12..34....43..21 # hard\n[Puzzle]\n1 2|. .\n',
        '[[1,2,3,4],[3,4,1,2],[2,1,4,3],[4,3,2,1]]',
      ),
    read: (bytes) => [...sudokusIn(sudokuShape(4), textOf(bytes))],
  },
  tuning: {
    corpus: () =>
      text(
        '{"matmul m=1":{"kernel":"matmul","settings":{"TILE":8}},"b":{"kernel":"attention","settings":{}}}',
      ),
    read(bytes) {
      parseChoices(parsed(bytes), 'input');
    },
  },
  // The header alone is changed: what it says is read, and not only that it is damaged.
  checkpoint: {
    corpus: () => [
      smallCheckpoint({ sums: false }).slice(8, 8 + headerLength(smallCheckpoint({ sums: false }))),
    ],
    read: (bytes) => readTensors(withHeader(smallCheckpoint({ sums: false }), bytes)),
  },
  run: {
    corpus: () =>
      text(
        '{"kind":"train","step":1,"time":"2026-01-01T00:00:00Z","lr":0.1,"halted":3,"lm_loss":1}\n{"kind":"evaluation","step":1,"split":"test","exact_accuracy":0.5}\n',
        '{"task":"sudoku","inputs":[[1,2]],"labels":[[2,-100]]}\n{"step":1,"answers":[[2,2]]}\n',
        '{"time":"2026-01-01T00:00:00Z","step":0,"changes":{"lr":1},"environment":{"node":"20"}}\n',
      ),
    read(bytes) {
      parseLog(textOf(bytes));
      parseSessions(textOf(bytes));
      parseSamples(textOf(bytes));
    },
  },
  // Loaded and asked, all on one device.
  solve: {
    corpus: () => [
      smallCheckpoint({ sums: false }).slice(8, 8 + headerLength(smallCheckpoint({ sums: false }))),
    ],
    async read(bytes) {
      device ??= await openDevice();
      const blob = new Blob([withHeader(smallCheckpoint({ sums: false }), bytes)]);
      const model = await HRM.load(blob, { device });
      try {
        await model.solve(
          [
            [1, 0, 0, 0],
            [0, 0, 0, 0],
            [0, 0, 0, 0],
            [0, 0, 0, 4],
          ],
          { maxSteps: 1 },
        );
      } finally {
        model.dispose();
      }
    },
    gpu: true,
  },
};

/** Readers that are wrong, each in its way, for about one input in eight: what tries readers must find them. */
const planted = (break_) => ({
  corpus: () => text('abc'),
  read(bytes) {
    if (bytes.length % 8 === 0) break_(bytes);
  },
});
const PLANTED = {
  'planted-defect': planted((bytes) => bytes.none.such),
  'planted-end': planted(() => process.abort()),
  'planted-hang': planted(() => {
    for (;;);
  }),
  'planted-large': planted(() => new Uint8Array(2 ** 30)),
  'planted-raw': planted(() => {
    throw Object.assign(new UserError(''), { message: 'a\u001b[31m' });
  }),
  'planted-slow': planted(() => {
    for (const start = performance.now(); performance.now() - start < 150; );
  }),
};

/** The target of a name; those that are planted have to be asked for. */
export const targetOf = (name) => TARGETS[name] ?? PLANTED[name];

function parsed(bytes) {
  try {
    return parseJson(textOf(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(error.message);
    throw error;
  }
}

const headerLength = (bytes) => Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));

/** A file with another header before the same tensors. */
function withHeader(bytes, header) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return new Uint8Array(Buffer.concat([length, header, bytes.subarray(8 + headerLength(bytes))]));
}
