/** Tells of saves. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write in several steps, or write another file and rename it. */
const QUIET_MS = 40;

/** Calls `onSave` with a file's path when it has been saved, renamed or deleted, once for all that happens at once. */
export function watchFiles(files: readonly string[], onSave: (file: string) => void): () => void {
  const timers = new Map<string, NodeJS.Timeout>();
  const watchers: FSWatcher[] = [];
  for (const folder of new Set(files.map((file) => dirname(file)))) {
    const here = files.filter((file) => dirname(file) === folder);
    watchers.push(
      watch(folder, (_, name) => {
        for (const file of here) {
          if (name !== null && basename(file) !== name) continue;
          clearTimeout(timers.get(file));
          timers.set(
            file,
            setTimeout(() => onSave(file), QUIET_MS),
          );
        }
      }),
    );
  }
  return () => {
    for (const watcher of watchers) watcher.close();
    for (const timer of timers.values()) clearTimeout(timer);
  };
}
