/**
 * The run that this browser keeps, in the origin's private files. A digest stands before the checkpoint: whatever happened to the file, it
 * is not taken for what it was.
 */

const NAME = 'hrm-webgpu-train.run';
const DIGEST_BYTES = 32;

/** A saved run that is there but cannot be gone on with. */
export class DamagedRun extends Error {}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

const folder = () => navigator.storage.getDirectory();

/** Puts a checkpoint in the place of the one before, which stays until the new one is whole. */
export async function saveRun(chunks: readonly Uint8Array[]): Promise<void> {
  const bytes = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const file = await (await folder()).getFileHandle(NAME, { create: true });
  // It writes beside the file, and takes its place when it is closed.
  const writable = await file.createWritable();
  await writable.write(await digestOf(bytes));
  await writable.write(bytes);
  await writable.close();
}

/**
 * The checkpoint that was saved; undefined where there is none.
 *
 * @throws DamagedRun when the file is not as it was written
 */
export async function readRun(): Promise<Blob | undefined> {
  let file: File;
  try {
    file = await (await (await folder()).getFileHandle(NAME)).getFile();
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') return undefined;
    throw error;
  }
  if (file.size === 0) return undefined; // made, and never written to
  const bytes = new Uint8Array(await file.arrayBuffer());
  const contents = bytes.subarray(DIGEST_BYTES);
  const digest = await digestOf(contents);
  if (digest.some((byte, i) => byte !== bytes[i]))
    throw new DamagedRun(
      'The run that was saved here is damaged: its file is not as it was written. It cannot be gone on with; start a new one.',
    );
  return new Blob([contents]);
}
