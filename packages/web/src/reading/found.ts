/** What files are, by their names and folders alone: checkpoints, and splits of datasets. */
import type { Entry } from './entries.ts';

export interface FoundCheckpoint {
  kind: 'checkpoint';
  /** Its path, which tells it from others. */
  id: string;
  file: File;
  /** The all_config.yaml that lies beside it. */
  config?: File;
}

export interface FoundSplit {
  kind: 'split';
  /** The path of its folder. */
  id: string;
  /** Its files by name. */
  files: Map<string, File>;
}

export type Found = FoundCheckpoint | FoundSplit;

const EXPECTED =
  'expected a checkpoint (safetensors, or torch.save) or a dataset folder (dataset.json and the arrays of its sets)';

/** What lies beside checkpoints and datasets and is neither. */
const OTHER = /\.(?:ya?ml|json|jsonl|npy|npz|txt|csv|tsv|md|py|svg|png|jpe?g|html?|log|lock)$|^\.|^LICENSE$/i;
const CHECKPOINT = /\.(?:safetensors|pt|pth|ckpt|bin)$|^checkpoint$|^step_\d+$/i;

const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/**
 * All that can be looked at, datasets first.
 *
 * @throws Error in a sentence where there is nothing
 */
export function findAmong(entries: readonly Entry[]): Found[] {
  if (entries.length === 0) throw new Error(`there are no files in it, ${EXPECTED}`);
  const found: Found[] = [...splitsAmong(entries), ...checkpointsAmong(entries)];
  if (found.length > 0) return found;
  const array = entries.find(({ path }) => path.endsWith('.npy'));
  if (array)
    throw new Error(
      `${array.path}: is an array without its dataset.json, expected the whole folder (train, test, or both)`,
    );
  const [{ path }] = entries;
  throw new Error(
    `${path}${entries.length > 1 ? ` and ${entries.length - 1} more` : ''}: neither a checkpoint nor a dataset by name, ${EXPECTED}`,
  );
}

function splitsAmong(entries: readonly Entry[]): FoundSplit[] {
  const folders = entries
    .filter(({ path }) => nameOf(path) === 'dataset.json')
    .map(({ path }) => folderOf(path));
  return folders
    .sort((a, b) => Number(nameOf(b) === 'train') - Number(nameOf(a) === 'train'))
    .map((folder) => ({
      kind: 'split',
      id: folder || 'dataset',
      files: new Map(
        entries.filter(({ path }) => folderOf(path) === folder).map(({ path, file }) => [nameOf(path), file]),
      ),
    }));
}

function checkpointsAmong(entries: readonly Entry[]): FoundCheckpoint[] {
  // A single file may have any name; among others only what looks like one is taken for one.
  const files = entries.filter(({ path }) => !/\.ya?ml$/i.test(path));
  const looks = ({ path }: Entry) => CHECKPOINT.test(nameOf(path));
  const alone = files.length === 1 && !OTHER.test(nameOf(files[0].path));
  return files
    .filter((entry) => alone || looks(entry))
    .map(({ path, file }) => ({
      kind: 'checkpoint',
      id: path,
      file,
      config: entries.find((other) => folderOf(other.path) === folderOf(path) && /\.ya?ml$/i.test(other.path))
        ?.file,
    }));
}
