/** Where files come in. */
import { useState } from 'preact/hooks';
import { useDrop } from '../files/use-drop.ts';
import { type Entry, entriesOf, entriesOfDrop } from '../reading/entries.ts';
import { type Found, findAmong } from '../reading/found.ts';

export interface DropZoneProps {
  onFound: (found: Found[]) => void;
  /** What is wrong with what is open. */
  trouble?: string;
}

export function DropZone({ onFound, trouble }: DropZoneProps) {
  const [problem, setProblem] = useState<string>();
  const take = async (entries: Entry[] | Promise<Entry[]>) => {
    try {
      onFound(findAmong(await entries));
      setProblem(undefined);
    } catch (error) {
      onFound([]);
      setProblem((error as Error).message);
    }
  };
  useDrop((dropped) => take(entriesOfDrop(dropped)));
  const wrong = problem ?? trouble;
  return (
    <section class="drop-zone" aria-label="Files">
      <p>
        Drop a checkpoint, a run or a dataset folder anywhere on this page. It stays on this computer, and
        nothing in it is executed.
      </p>
      <div class="buttons">
        <FileButton label="Choose files" onFiles={(files) => take(entriesOf(files))} />
        <FileButton label="Choose a folder" folder onFiles={(files) => take(entriesOf(files))} />
      </div>
      {wrong && (
        <p class="trouble" role="alert">
          {wrong}
        </p>
      )}
    </section>
  );
}

interface FileButtonProps {
  label: string;
  folder?: boolean;
  onFiles: (files: FileList) => void;
}

function FileButton({ label, folder, onFiles }: FileButtonProps) {
  return (
    <label class="choice file">
      <input
        type="file"
        multiple
        ref={(input) => {
          if (input && folder) input.webkitdirectory = true;
        }}
        class="visually-hidden"
        onChange={({ currentTarget }) => {
          if (currentTarget.files?.length) onFiles(currentTarget.files);
          currentTarget.value = ''; // the same again is a choice, too
        }}
      />
      <span>{label}</span>
    </label>
  );
}
