/**
 * Puzzle tables: CSV with a header that names the columns of puzzles and answers, and `rating` where difficulty matters,
 * in any order. Other columns (`source`) are passed over.
 */

import { UserError } from '@hrm-webgpu/core';
import { quoted } from '../../formats/quote.ts';
import { parseCsvLine } from './csv.ts';

/** What columns are called: first as published, then as in other tables that are passed on. */
const NAMES = {
  question: ['question', 'puzzle', 'quizzes'],
  answer: ['answer', 'solution', 'solutions'],
  rating: ['rating'],
};

export interface PuzzleRow {
  question: string;
  answer: string;
  /** NaN if it is no number or not asked for. */
  rating: number;
}

/** Reads the rows of one table, knowing its header. */
export class PuzzleTable {
  private readonly columns: number;
  private readonly question: number;
  private readonly answer: number;
  private readonly rating: number;

  /**
   * @param header the first line
   * @param file its name, for messages
   * @throws UserError for missing columns
   */
  constructor(header: string, file: string, needsRating: boolean) {
    const names = (parseCsvLine(header) ?? []).map((name) => name.trim().toLowerCase());
    const find = (of: keyof typeof NAMES) => {
      const name = NAMES[of].find((name) => names.includes(name));
      return name === undefined ? -1 : names.indexOf(name);
    };
    this.columns = names.length;
    this.question = find('question');
    this.answer = find('answer');
    this.rating = needsRating ? find('rating') : -1;
    const missing = (['question', 'answer', 'rating'] as const).filter(
      (name) => this[name] < 0 && (needsRating || name !== 'rating'),
    );
    if (missing.length > 0) {
      throw new UserError(
        `${file}, line 1: the header ${quoted(header)} has no ${missing.join(' and no ')}; expected ` +
          'question,answer or puzzle,solution or quizzes,solutions, and rating for --min-difficulty. Check that this is ' +
          'the right file and that it has a header.',
      );
    }
  }

  /** The row in a line, or what is wrong with it. */
  parse(line: string): PuzzleRow | string {
    const fields = parseCsvLine(line);
    if (!fields) return `the quotes do not match: ${quoted(line)}`;
    if (fields.length !== this.columns) {
      return `has ${fields.length} fields, expected ${this.columns} as in the header`;
    }
    const rating = this.rating < 0 ? Number.NaN : Number(fields[this.rating].trim() || 'none');
    if (this.rating >= 0 && Number.isNaN(rating)) {
      return `the rating is ${quoted(fields[this.rating])}, expected a number`;
    }
    return { question: fields[this.question], answer: fields[this.answer], rating };
  }
}
