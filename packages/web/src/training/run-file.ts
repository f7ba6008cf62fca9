/** A run as a file: a checkpoint that `hrm solve` opens too, with what the page needs to go on in its notes. */
import { blobSource, openTensorFile, readMetadata, UserError } from 'hrm-webgpu';
import type { RunShown } from './api.ts';
import type { History } from './history.ts';
import { checkTyped, type Settings, typedOf } from './settings.ts';

/** Of the notes; one that the page does not know is of another version of it. */
const FORM = 1;

export const OTHER_VERSION =
  'The run that was saved here is one of another version of this page: start a new one.';

export interface RunNotes {
  settings: Settings;
  history: History;
  /** Of the puzzles, which another version of the page may make in another way. */
  data: string;
}

export function notesOf({ settings, history, data }: RunNotes): Record<string, unknown> {
  return { page: FORM, settings, history, data };
}

/**
 * Opens a run's file, without reading its tensors.
 *
 * @throws UserError where it is none
 */
export async function openRunFile(blob: Blob) {
  const file = await openTensorFile(blobSource(blob, 'the saved run'));
  const metadata = readMetadata(file);
  const { page, settings, history, data } = (metadata?.training?.notes ?? {}) as Partial<RunNotes> & {
    page?: number;
  };
  if (
    !metadata?.training ||
    page !== FORM ||
    !settings ||
    !history ||
    !data ||
    checkTyped(typedOf(settings)).problems
  )
    throw new UserError(OTHER_VERSION);
  const { training } = metadata;
  const shown: RunShown = { settings, history, step: training.progress.step };
  return { file, metadata, training, shown, data };
}
