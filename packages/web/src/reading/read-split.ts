/** A split of a dataset from the files of a folder, whose rows stay in them. */
import { decodeSplit, npyRows, type Split } from 'hrm-webgpu';

/** Reads a part of a file at once. */
export type ReadSync = (file: Blob, offset: number, length: number) => Uint8Array<ArrayBuffer>;

/**
 * Checks all of it, a piece at a time, and keeps what is small.
 *
 * @param breathe awaited between two pieces
 * @throws UserError naming the file and row that is wrong
 */
export function readFolder(
  files: ReadonlyMap<string, Blob>,
  folder: string,
  readSync: ReadSync,
  breathe: () => unknown,
): Promise<Split> {
  const find = (name: string): Blob => {
    const file = files.get(name);
    if (file) return file;
    throw new Error(
      `${folder}/${name}: is missing, expected dataset.json and five arrays of each set in one folder`,
    );
  };
  const readWhole = async (name: string) => new Uint8Array(await find(name).arrayBuffer());
  const openRows = (name: string, columns: number) => {
    const file = find(name);
    const read = (offset: number, length: number) => {
      try {
        return readSync(file, offset, length);
      } catch (error) {
        throw new Error(
          `${folder}/${name}: cannot be read any more (${(error as Error).message}). Choose the folder again.`,
        );
      }
    };
    return npyRows({ name: `${folder}/${name}`, size: file.size, read }, columns);
  };
  return decodeSplit(readWhole, folder, { openRows, breathe });
}
