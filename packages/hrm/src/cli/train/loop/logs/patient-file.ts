import { closeSync, fstatSync, fsync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { fileError } from '../../../../formats/files/file-error.node.ts';
import { say } from '../../../terminal.ts';

/** Bytes that are kept while there is no room for them. */
const MOST_WAITING = 2 ** 24;

/**
 * A file that a run adds to, and whose disk may be full: what cannot be written stops no training, and is tried again with what
 * comes next.
 */
export class PatientFile {
  private readonly file: number;
  /** Bytes that are written; what a full disk let through is written over. */
  private size: number;
  private waiting: Uint8Array[] = [];
  private isTroubled = false;

  /** Adds to the end of a file that may be there. */
  constructor(private readonly path: string) {
    try {
      closeSync(openSync(path, 'a'));
      this.file = openSync(path, 'r+');
    } catch (cause) {
      throw fileError('cannot write', path, cause);
    }
    this.size = fstatSync(this.file).size;
  }

  append(bytes: Uint8Array): void {
    this.waiting.push(bytes);
    try {
      this.flush();
    } catch (cause) {
      const { message } = fileError('cannot write', this.path, cause) as Error;
      if (!this.isTroubled)
        say(`\n${message} Training goes on; what belongs there is kept until there is room.`);
      this.isTroubled = true;
      const kept = this.waiting.reduce((sum, { length }) => sum + length, 0);
      if (kept > MOST_WAITING) this.waiting = this.waiting.slice(-1);
    }
  }

  /**
   * Resolves when all that was added is on the disk.
   *
   * @throws UserError where there is no room for it
   */
  async sync(): Promise<void> {
    try {
      this.flush();
      await promisify(fsync)(this.file);
    } catch (cause) {
      throw fileError('cannot write', this.path, cause);
    }
  }

  /** After another try with what there was no room for. */
  close(): void {
    if (this.waiting.length > 0) this.append(new Uint8Array());
    closeSync(this.file);
  }

  private flush(): void {
    for (; this.waiting.length > 0; this.waiting.shift()) this.write(this.waiting[0]);
    if (this.isTroubled) say(`\n${this.path} is whole again.`);
    this.isTroubled = false;
  }

  private write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.file, bytes, done, bytes.length - done, this.size + done);
    this.size += bytes.length;
  }
}
