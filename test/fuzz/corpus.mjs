// Small files of tensors to begin with.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { DEFAULT_NOTES } from '../../packages/hrm/dist/cli/train/loop/run-notes.js';
import { withChecksums } from '../../packages/hrm/dist/formats/checksums.js';
import { crc32 } from '../../packages/hrm/dist/formats/crc32.js';
import { encodeSafetensors } from '../../packages/hrm/dist/formats/safetensors.js';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../packages/hrm/dist/model/config.js';
import { parameterShapes } from '../../packages/hrm/dist/model/parameters.js';

const CONFIG = {
  ...DEFAULT_ARCH,
  ...{ hidden_size: 4, num_heads: 2, H_layers: 1, L_layers: 1, H_cycles: 1, L_cycles: 1, puzzle_emb_ndim: 4 },
  ...{ halt_max_steps: 2, vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 },
};

const TRAINING = {
  train: DEFAULT_TRAIN,
  progress: {
    ...{ step: 3, totalSteps: 6 },
    sampler: { iteration: 0, set: 0, visit: 12, picks: 24 },
    augmentation: { seed: 0, stream: 1, position: 0 },
  },
  tuning: { adapter: 'a', class: 'software', subgroupMinSize: 4, choices: {} },
  notes: { ...DEFAULT_NOTES, data: '/nowhere', dataset: 'x', evalSplit: null, evalEvery: 3, augment: null },
};

/** A checkpoint of a tiny model that a run could go on from, but for the optimiser's tensors. */
export function smallCheckpoint({ sums }) {
  const tensors = new Map(
    [...parameterShapes(CONFIG)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.01);
      return [name, { dtype: 'F32', shape: [...shape], data }];
    }),
  );
  const strings = { config: CONFIG, task: 'sudoku', training: TRAINING };
  const metadata = {
    format: `hrm-webgpu/${sums ? 2 : 1}`,
    ...Object.fromEntries(Object.entries(strings).map(([key, value]) => [key, JSON.stringify(value)])),
  };
  const crcs = new Map([...tensors].map(([name, { data }]) => [name, crc32(new Uint8Array(data.buffer))]));
  return new Uint8Array(
    Buffer.concat(encodeSafetensors(tensors, sums ? withChecksums(metadata, crcs) : metadata)),
  );
}

const foreign = fileURLToPath(new URL('../fixtures/foreign/', import.meta.url));

/** What `torch.save` wrote. */
export const torchFileOf = () => new Uint8Array(readFileSync(`${foreign}nested.pt`));

/** The pickle in it: the one member that is called data.pkl, found by its local header. */
export function pickleOf() {
  const bytes = Buffer.from(torchFileOf());
  const name = bytes.indexOf('data.pkl');
  const header = bytes.lastIndexOf(Buffer.from('PK\x03\x04', 'latin1'), name);
  const [method, packed, nameLength, extraLength] = [
    bytes.readUInt16LE(header + 8),
    bytes.readUInt32LE(header + 18),
    bytes.readUInt16LE(header + 26),
    bytes.readUInt16LE(header + 28),
  ];
  const start = header + 30 + nameLength + extraLength;
  const data = bytes.subarray(start, packed > 0 ? start + packed : undefined);
  return new Uint8Array(method === 8 ? inflateRawSync(data) : data);
}
