/** The parts of hrm-webgpu that read and write files in Node. */

export { readIdentifiers, readSplit, writeIdentifiers, writeSplit } from './data/dataset.node.ts';
export { writeFileAtomic } from './formats/atomic-write.node.ts';
export { fileSource } from './formats/file-source.node.ts';
export { loadModelFile } from './model-file.node.ts';
