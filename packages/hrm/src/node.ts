/** The parts of hrm-webgpu that read and write files in Node. */

export { buildArcDataset, readArcTasks } from './data/arc-dataset.node.ts';
export {
  type OpenSplit,
  readIdentifiers,
  readSplit,
  writeIdentifiers,
  writeSplit,
} from './data/dataset.node.ts';
export { type DatasetWriter, type SplitWriter, writeDataset } from './data/dataset-writer.node.ts';
export { writeFileAtomic } from './formats/atomic-write.node.ts';
export { fileSource } from './formats/file-source.node.ts';
export { quoted } from './formats/quote.ts';
export { loadModelFile } from './model-file.node.ts';
