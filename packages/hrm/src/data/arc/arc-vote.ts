/**
 * How ARC is scored: the model solves every augmented copy of a test input; each answer, with the augmentation
 * undone, is a vote; a task is solved if the right answer of each of its test inputs is among the K first.
 */

import { UserError } from '@hrm-webgpu/core';
import { BLANK } from '../dataset/dataset.ts';
import { cropGrid, type Grid, gridKey, gridRows } from './arc.ts';
import { augmentGrid, inverse, parseName } from './arc-augment.ts';

/** The published values of K. The headline is 2: ARC allows two attempts. */
export const ARC_KS = [1, 2, 10, 100, 1000];

/** One row of an evaluated test split. */
export interface ArcRow {
  puzzleIdentifier: number;
  /** [900] tokens */
  input: ArrayLike<number>;
  /** [900] tokens */
  label: ArrayLike<number>;
  /** [900] tokens, the likeliest of each position */
  prediction: ArrayLike<number>;
  /** The logit. */
  qHalt: number;
}

export interface ArcScore {
  /** Values of K. */
  ks: number[];
  /** For each K the number of tasks solved. */
  solved: number[];
  /** By task: whether it is solved, for each K. */
  tasks: Map<string, boolean[]>;
  /** Tasks that are not among these, as the right answer to one of their test inputs is not known. */
  unscored: number;
  /** Tasks that lack votes of some of their copies, as in a sample. */
  partial: number;
}

/** An entry of a submission for each test input. */
export interface Attempts {
  attempt_1: number[][];
  attempt_2: number[][];
}

interface Candidate {
  grid: Grid;
  votes: number;
  /** Of the sigmoids of q_halt. */
  confidence: number;
}

/** A test input. */
interface Question {
  /** Key of the right answer; undefined where it is not known. */
  answer: string | undefined;
  /** By key, in the order of first appearance. */
  candidates: Map<string, Candidate>;
}

/** What a submission says where no copy gave an answer. */
const NO_ANSWER = [[0]];

/** Collects predictions row by row, in any order, and scores them; memory grows with different answers only. */
export class ArcVote {
  /** By task, then by key of the test input; both in the order of first appearance. */
  private readonly tasks = new Map<string, Map<string, Question>>();

  /** @param identifiers the dataset's names by puzzle identifier */
  constructor(private readonly identifiers: readonly string[]) {}

  /**
   * Adds a vote. Rows with the blank identifier, which pad batches, are left out.
   *
   * @throws UserError for an identifier without a name
   */
  add({ puzzleIdentifier, input, label, prediction, qHalt }: ArcRow): void {
    if (puzzleIdentifier === BLANK.identifier) return;
    const name = this.identifiers[puzzleIdentifier];
    if (name === undefined) {
      throw new UserError(
        `ARC: identifiers.json has no name for the puzzle identifier ${puzzleIdentifier}, only ` +
          `${this.identifiers.length} names. Score with the dataset that was evaluated.`,
      );
    }
    const { task, augmentation } = parseName(name);
    const undo = augmentation && inverse(augmentation);
    const original = (canvas: ArrayLike<number>) => {
      const grid = cropGrid(canvas);
      return undo ? augmentGrid(grid, undo) : grid;
    };
    const question = this.question(task, gridKey(original(input)), () => {
      const answer = original(label);
      return answer.rows === 0 ? undefined : gridKey(answer);
    });
    const grid = original(prediction);
    const key = gridKey(grid);
    const candidate = question.candidates.get(key) ?? { grid, votes: 0, confidence: 0 };
    candidate.votes++;
    // f32, in which a confident model's sigmoids are 1 and tie, as they do where the ranking was defined.
    candidate.confidence += Math.fround(1 / (1 + Math.exp(-qHalt)));
    question.candidates.set(key, candidate);
  }

  /** Scores what has been added: the tasks of which all right answers are known. */
  score(ks: number[] = ARC_KS): ArcScore {
    const tasks = new Map<string, boolean[]>();
    for (const [task, questions] of this.tasks) {
      if ([...questions.values()].some(({ answer }) => answer === undefined)) continue;
      const places = [...questions.values()].map(placeOfAnswer);
      const last = Math.max(...places);
      tasks.set(
        task,
        ks.map((k) => last < k),
      );
    }
    const solved = ks.map((_, i) => [...tasks.values()].filter((solvedAt) => solvedAt[i]).length);
    return { ks, solved, tasks, unscored: this.tasks.size - tasks.size, partial: this.partial() };
  }

  /** The two best answers of every test input, in the order of first appearance: a submission for ARC Prize on Kaggle. */
  submission(): Record<string, Attempts[]> {
    const attempts = ({ candidates }: Question): Attempts => {
      const grids = rank(candidates)
        .map(([, { grid }]) => gridRows(grid))
        .filter((rows) => rows.length > 0);
      const [attempt_1 = NO_ANSWER, attempt_2 = attempt_1] = grids;
      return { attempt_1, attempt_2 };
    };
    return Object.fromEntries(
      [...this.tasks].map(([task, questions]) => [task, [...questions.values()].map(attempts)]),
    );
  }

  /** Tasks with a test input that has fewer votes than the task has puzzles, itself and its copies. */
  private partial(): number {
    const puzzles = new Map<string, number>();
    for (const name of this.identifiers) {
      const { task } = parseName(name);
      puzzles.set(task, (puzzles.get(task) ?? 0) + 1);
    }
    const lacksVotes = (task: string, { candidates }: Question) =>
      [...candidates.values()].reduce((sum, { votes }) => sum + votes, 0) < puzzles.get(task)!;
    return [...this.tasks].filter(([task, questions]) =>
      [...questions.values()].some((question) => lacksVotes(task, question)),
    ).length;
  }

  private question(task: string, input: string, answer: () => string | undefined): Question {
    const questions = this.tasks.get(task) ?? new Map<string, Question>();
    this.tasks.set(task, questions);
    const question = questions.get(input) ?? { answer: answer(), candidates: new Map() };
    questions.set(input, question);
    return question;
  }
}

/** Most votes first, then the highest mean confidence, then first come. */
function rank(candidates: Map<string, Candidate>): [key: string, candidate: Candidate][] {
  const mean = ({ confidence, votes }: Candidate) => confidence / votes;
  return [...candidates].sort(([, a], [, b]) => b.votes - a.votes || mean(b) - mean(a));
}

/** From 0; Infinity where nobody voted for it. */
function placeOfAnswer({ answer, candidates }: Question): number {
  const place = rank(candidates).findIndex(([key]) => key === answer);
  return place < 0 ? Number.POSITIVE_INFINITY : place;
}
