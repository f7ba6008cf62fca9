/** The parts of hrm-webgpu that read and write files in Node. */

export { loadModelFile } from './checkpoints/model-file.node.ts';
export { buildArcDataset } from './data/arc/arc-dataset.node.ts';
export { readArcTasks } from './data/arc/arc-source.node.ts';
export {
  type OpenSplit,
  readIdentifiers,
  readSplit,
  writeIdentifiers,
  writeSplit,
} from './data/dataset/dataset.node.ts';
export { type DatasetWriter, type SplitWriter, writeDataset } from './data/dataset/dataset-writer.node.ts';
export { encodeNpyHeader } from './data/dataset/npy.ts';
export { inCheckout } from './environment/checkout.node.ts';
export { type Environment, environmentOf } from './environment/environment.node.ts';
export { writeFileAtomic } from './formats/files/atomic-write.node.ts';
export { fileSource } from './formats/files/file-source.node.ts';
export { quoted } from './formats/quote.ts';
export { encodeSafetensors } from './formats/safetensors.ts';
export { folderFiles } from './parity/folder.node.ts';
export { readShaders } from './tuning/shader-folder.node.ts';
