/** JSON arrays in lines of text: one a line, or one over many. */

import { parseJson } from '../../formats/json.ts';

/** An array is held whole, and takes many times its text: a longer one could have a line for each of its entries. */
const MAX_CHARACTERS = 2 ** 22;

/** A list of grids of rows. */
const MAX_DEPTH = 3;

/** An array that has ended and the line that it began in; or what is wrong with what stands there. */
export type FoundArray = { line: number } & ({ value: unknown[] } | { problem: string });

/** Gathers lines until the brackets that they open are closed. */
export class JsonArrays {
  private lines: string[] = [];
  private first = 0;
  private characters = 0;
  private depth = 0;

  /** Whether an array has begun and not ended. */
  get open(): boolean {
    return this.lines.length > 0;
  }

  /** What a line ends. */
  add(line: string, number: number): FoundArray | undefined {
    if (!this.open) {
      this.first = number;
      this.characters = 0;
      this.depth = 0;
    }
    let deepest = 0;
    for (let i = 0; i < line.length; i++) {
      if (line[i] === '[') deepest = Math.max(deepest, ++this.depth);
      else if (line[i] === ']') this.depth--;
    }
    this.lines.push(line);
    this.characters += line.length + 1;
    if (deepest > MAX_DEPTH) return this.giveUp(`is nested more than ${MAX_DEPTH} deep`);
    if (this.characters > MAX_CHARACTERS) {
      return this.giveUp(`has more than ${MAX_CHARACTERS} characters: make several of it`);
    }
    return this.depth > 0 ? undefined : this.parse();
  }

  /** To be called after the last line: an array that has no end. */
  end(): FoundArray | undefined {
    return this.open ? this.giveUp('has no end') : undefined;
  }

  private giveUp(why: string): FoundArray {
    this.lines = [];
    return { line: this.first, problem: `the array that begins here ${why}` };
  }

  private parse(): FoundArray {
    // Behind a comma, as entries of a list are written.
    const text = this.lines.join('\n').trimEnd().replace(/,$/, '');
    this.lines = [];
    try {
      return { line: this.first, value: parseJson(text) };
    } catch (cause) {
      return { line: this.first, problem: `is not valid JSON (${(cause as Error).message})` };
    }
  }
}
