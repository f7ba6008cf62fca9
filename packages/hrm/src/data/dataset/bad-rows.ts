/** What is wrong with the rows of a source, gathered so that a person sees all of it at once. */

import { UserError } from '@hrm-webgpu/core';

/** More are only counted. */
const LISTED = 20;

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

  add(line: number, problem: string): void {
    this.count++;
    if (this.listed.length < LISTED) this.listed.push(`  line ${line}: ${problem}`);
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
    if (this.count > LISTED) lines.push(`  and ${this.count - LISTED} more`);
    return `${this.count} bad ${this.count === 1 ? 'line' : 'lines'}:\n${lines.join('\n')}`;
  }
}
