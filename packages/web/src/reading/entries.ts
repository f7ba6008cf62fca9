/** The files that were chosen or dropped, folders among them, with their paths. */

export interface Entry {
  /** Folders and name, separated by `/`. */
  path: string;
  file: File;
}

/** More files than this are no dataset and no run: somebody dropped a whole disk. */
export const MOST_FILES = 10_000;

/** Of an `<input type="file">`, with `webkitdirectory` or without. */
export function entriesOf(files: Iterable<File>): Entry[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Of a drop. What it holds has to be asked for at once: later it is gone. */
export async function entriesOfDrop({ items }: Pick<DataTransfer, 'items'>): Promise<Entry[]> {
  const roots: FileSystemEntry[] = [];
  const loose: File[] = []; // what comes from another program than the file manager may have no place
  for (const item of items) {
    const entry = item.webkitGetAsEntry?.();
    const file = entry ? undefined : item.getAsFile();
    if (entry) roots.push(entry);
    if (file) loose.push(file);
  }
  return [...(await walk(roots)), ...entriesOf(loose)];
}

async function walk(roots: FileSystemEntry[]): Promise<Entry[]> {
  const found: Entry[] = [];
  const waiting = [...roots];
  for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
    if (entry.isDirectory) {
      for (const child of await childrenOf(entry as FileSystemDirectoryEntry)) waiting.push(child);
    } else
      found.push({
        path: entry.fullPath.replace(/^\//, ''),
        file: await fileOf(entry as FileSystemFileEntry),
      });
    if (found.length + waiting.length > MOST_FILES) {
      throw new Error(
        `${roots[0].name}: holds more than ${MOST_FILES} files, expected a checkpoint or the folder of a dataset or a run`,
      );
    }
  }
  return found;
}

const fileOf = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => {
    entry.file(resolve, reject);
  });

/** Browsers tell a hundred at a time. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return found;
    found.push(...some);
  }
}
