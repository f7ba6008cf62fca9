/** What is wrong with the rows of a source, gathered so that a person sees all of it at once. */

import { UserError } from '@hrm-webgpu/core';

/** More are only counted. */
const LISTED = 20;
/** A file with more is not what it was taken for, and is read no further. */
const MOST = 1000;

export class BadRows {
  count = 0;
  private readonly listed: string[] = [];

  /**
   * @param file name for messages
   * @param skip whether rows that are wrong are to be left out, not to stop everything
   */
  constructor(
    private readonly file: string,
    private readonly skip: boolean,
  ) {}

  /** Whether there is nothing to be made of the good rows any more. */
  get fatal(): boolean {
    return this.count > 0 && !this.skip;
  }

  /** @throws UserError as {@link check}, where there are so many that reading on would be of no use */
  add(line: number, problem: string): void {
    this.count++;
    if (this.listed.length < LISTED) this.listed.push(`  line ${line}: ${problem}`);
    if (this.fatal && this.count > MOST) this.check();
  }

  /**
   * To be called after the last row.
   *
   * @throws UserError listing the rows, if there are any and they are not to be skipped
   */
  check(): void {
    if (!this.fatal) return;
    throw new UserError(
      `${this.file}: ${this.describe()}\nNothing was written. Mend these lines, or leave them out with --skip-bad.`,
    );
  }

  /** How many, and the first of them. */
  describe(): string {
    const lines = [...this.listed];
    if (this.count > LISTED)
      lines.push(`  and ${(this.fatal ? Math.min(this.count, MOST) : this.count) - LISTED} more`);
    const many = this.fatal && this.count > MOST ? `more than ${MOST}` : `${this.count}`;
    return `${many} bad ${this.count === 1 ? 'line' : 'lines'}:\n${lines.join('\n')}`;
  }
}
