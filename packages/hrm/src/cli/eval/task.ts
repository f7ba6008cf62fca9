/** What `hrm eval` finds out about answers beyond their labels, by the rules of each task. */

import { type ArcScore, ArcVote, type Attempts } from '../../data/arc/arc-vote.ts';
import { readIdentifiers } from '../../data/dataset/dataset.node.ts';
import type { DatasetMetadata } from '../../data/dataset/dataset.ts';
import { checkMaze } from '../../data/maze/maze-check.ts';
import { MazeDistances } from '../../data/maze/maze-distances.ts';
import { sudokuShape } from '../../data/sudoku/sudoku.ts';
import { type DigitFaults, isFaultless, latinFaults, sudokuFaults } from '../../data/sudoku/sudoku-check.ts';
import type { Answer } from '../../evaluation/answers.ts';
import { type Interval, wilsonInterval } from '../../evaluation/intervals.ts';
import type { Task } from '../../tasks/tasks.ts';

/** A count out of all, to be shown as a share. */
export interface Share {
  count: number;
  of: number;
  share: number;
  interval: Interval;
}

export interface TaskReport {
  /** By name as in JSON. */
  shares: Record<string, Share>;
  /** What the shares are of. */
  of: string;
  /** What to know about them. */
  notes: string[];
}

/** Looks at answers one by one. */
export interface TaskCheck {
  add(answer: Answer): void;
  report(): TaskReport;
  /** Where the task has such a thing: what would be handed in. */
  submission?(): Record<string, Attempts[]>;
}

/** @param data the dataset's folder, whose names ARC needs */
export async function makeCheck(
  task: Exclude<Task, 'none'>,
  { seq_len }: DatasetMetadata,
  data: string,
): Promise<TaskCheck> {
  const size = Math.sqrt(seq_len);
  if (task === 'sudoku') return sudokuCheck(size);
  if (task === 'latin') return latinCheck(size);
  if (task === 'maze') return mazeCheck(size);
  return arcCheck(await readIdentifiers(data));
}

function sudokuCheck(size: number): TaskCheck {
  const shape = sudokuShape(size);
  return digitsCheck((input, prediction) => sudokuFaults(shape, input, prediction));
}

function latinCheck(size: number): TaskCheck {
  return digitsCheck((input, prediction) => latinFaults(size, input, prediction));
}

function digitsCheck(faults: (input: Int32Array, prediction: Int32Array) => DigitFaults): TaskCheck {
  const counts = new Counts(['valid', 'broken_rules', 'changed_givens', 'blank_cells']);
  return {
    add({ input, prediction }) {
      const found = faults(input, prediction);
      counts.add({
        valid: isFaultless(found),
        broken_rules: found.brokenRules,
        changed_givens: found.changedGivens,
        blank_cells: found.blanks,
      });
    },
    report: () => counts.report(),
  };
}

function mazeCheck(size: number): TaskCheck {
  const distances = new MazeDistances(size);
  const counts = new Counts(['valid_path', 'optimal_path', 'through_walls', 'changed_maze']);
  return {
    add({ input, prediction }) {
      const { valid, optimal, throughWalls, changedMaze } = checkMaze(input, prediction, distances);
      counts.add({
        valid_path: valid,
        optimal_path: optimal,
        through_walls: throughWalls,
        changed_maze: changedMaze,
      });
    },
    report: () => counts.report(),
  };
}

function arcCheck(identifiers: string[]): TaskCheck {
  const vote = new ArcVote(identifiers);
  return {
    add: (answer) => vote.add(answer),
    report() {
      const score = vote.score();
      const { ks, solved, tasks } = score;
      // Where nothing is known there are no shares either: 0 of 0 reads like 0 %.
      const known = tasks.size > 0 ? ks : [];
      const shares = known.map((k, i) => [`solved_at_${k}`, share(solved[i], tasks.size)]);
      return { of: 'tasks', shares: Object.fromEntries(shares), notes: arcNotes(score) };
    },
    submission: () => vote.submission(),
  };
}

function arcNotes({ tasks, unscored, partial }: ArcScore): string[] {
  const all = tasks.size + unscored;
  const notes: string[] = [];
  if (unscored > 0) {
    const which = tasks.size === 0 ? `none of the ${all} tasks is` : `${unscored} of ${all} tasks are not`;
    notes.push(`${which} scored: right answers to their test inputs are not known`);
  }
  if (partial > 0) {
    notes.push(
      `${partial} of ${all} tasks are voted on by some of their copies only, as with --sample, which draws examples and ` +
        'not tasks: solved at K is not comparable with that of a whole evaluation',
    );
  }
  return notes;
}

/** Counts answers with each of some properties. */
class Counts {
  private readonly counts: Map<string, number>;
  private total = 0;

  constructor(names: string[]) {
    this.counts = new Map(names.map((name) => [name, 0]));
  }

  add(found: Record<string, boolean>): void {
    this.total++;
    for (const [name, count] of this.counts) this.counts.set(name, count + (found[name] ? 1 : 0));
  }

  report(): TaskReport {
    const shares = [...this.counts].map(([name, count]) => [name, share(count, this.total)]);
    return { of: 'answers', shares: Object.fromEntries(shares), notes: [] };
  }
}

export function share(count: number, of: number): Share {
  const value = count / Math.max(1, of);
  return { count, of, share: value, interval: wilsonInterval(value, of) };
}
