/** Thinks about puzzles, each with as many guesses as it takes, any number of them in the memory of a batch. */

import type { MakeCompanion } from '../model/inference.ts';
import type { Checker } from '../tasks/checkers.ts';
import type { GuessKind } from './guess-plan.ts';
import { type InferenceFor, Lane, type Reading, type Work } from './lane.ts';
import type { Guess, Rule, Selection } from './select.ts';

/** A puzzle, and what its caller knows it by. */
export interface Asked {
  /** [seq_len] tokens */
  inputs: Int32Array;
  /** [seq_len]; the loss of guess 0 is told of them, and nothing else looks at them. */
  labels?: Int32Array;
  puzzleIdentifier: number;
}

/** A guess after a segment. */
export interface ThoughtGuess {
  kind: GuessKind;
  /** From 1. */
  segment: number;
  /** [seq_len], with the symmetry undone, for who looks at them. */
  tokens(): Int32Array;
  qHalt: number;
  qContinue: number;
  lmLoss: number;
}

/** Where a guess that is under way stands. */
export interface Progress {
  number: number;
  segments: number;
  /** As in {@link Guess}. */
  firstHalt?: number;
}

/** The guesses of one puzzle: which to make next, and when its answer is settled. */
export interface Course {
  /** The numbers of guesses to begin now: none while others are under way, and after the last. */
  nextRound(): number[];
  /** A guess that is under way has thought a segment. */
  progress(progress: Progress): void;
  /** A guess has thought to its end. */
  end(guess: Guess): void;
  /** Numbers of guesses that need not go on; they are forgotten. */
  drop(): number[];
  /** Whether the answer is settled, or nothing is left to be made. */
  readonly done: boolean;
  /** The guesses that came to an end, by their numbers. */
  readonly guesses: readonly Guess[];
  /** The answer; once {@link done}. */
  readonly selection: Selection;
}

/** Which guesses are made of a puzzle, and how one is chosen. */
export interface Guessing {
  kinds: readonly GuessKind[];
  rule: Rule | 'auto';
  /** Makes all guesses of every puzzle, and lets each think to its end. */
  all: boolean;
  /** Begins with a puzzle. */
  course(): Course;
  checker?: Checker;
  /** Of the inferences that think. */
  makeCompanion?: MakeCompanion;
  /** What tells companions apart. */
  companionKey: string;
}

const unchanged = (tokens: Int32Array) => tokens;

/** A puzzle as given, and nothing else. */
export const ONE_GUESS: Guessing = {
  kinds: [{ number: 0, checkpoint: 0, symmetry: { apply: unchanged, undo: unchanged }, by: {} }],
  rule: 'auto',
  all: false,
  course() {
    const guesses: Guess[] = [];
    let begun = false;
    return {
      nextRound() {
        const round = begun ? [] : [0];
        begun = true;
        return round;
      },
      progress() {},
      end: (guess) => guesses.push(guess),
      drop: () => [],
      get done() {
        return guesses.length > 0;
      },
      guesses,
      get selection() {
        return { guess: guesses[0], rule: 'only' as const };
      },
    };
  },
  companionKey: '',
};

export interface ThinkOptions<A extends Asked> {
  guessing: Guessing;
  seqLen: number;
  /** Rows at a time. */
  batchSize: number;
  /** Segments after which a guess ends. */
  maxSteps: number;
  /** Whether it ends as soon as q_halt > q_continue. */
  halt: boolean;
  /** For each checkpoint. */
  inferences: readonly InferenceFor[];
  /** Resolves when there is room for another segment. */
  ready(): Promise<void>;
  /** Throws when it should stop; asked around every segment. */
  check?: () => void;
  /** Whether {@link onSegment} wants every segment, or the last of each guess is enough. */
  everySegment?: boolean;
  onSegment?: (asked: A, thought: ThoughtGuess) => void;
  /** Called with each guess that came to its end. */
  onGuess?: (asked: A, guess: Guess) => void;
}

/** A puzzle whose answer is settled. */
export interface Answered<A extends Asked> {
  asked: A;
  /** The guesses that came to an end, by their numbers; guess 0 is always among them. */
  guesses: readonly Guess[];
  selection: Selection;
  /** Segments that were thought about it, those of guesses that were dropped included. */
  segments: number;
  /** Guesses that were begun. */
  begun: number;
}

/** Segments whose changes decide `steady`. */
const STEADY_SEGMENTS = 3;

interface Puzzle<A> {
  asked: A;
  course: Course;
  /** All that were begun. */
  works: GuessWork<A>[];
}

interface GuessWork<A> extends Work {
  puzzle: Puzzle<A>;
  kind: GuessKind;
  firstHalt?: number;
  changes: number[];
  dropped: boolean;
}

/** Yields puzzles as their answers are settled, as many at a time as have become so. */
export async function* think<A extends Asked>(
  puzzles: Iterable<A>,
  options: ThinkOptions<A>,
): AsyncGenerator<Answered<A>[]> {
  const desk = new Desk(puzzles, options);
  const { halt, everySegment, maxSteps, check = () => {} } = options;
  // Where nothing needs to be known in between, all rows begin and end together.
  const single = options.guessing.kinds.length === 1;
  const segmentsPerRead = single && !halt && !everySegment ? maxSteps : 1;
  while (true) {
    check();
    if (!desk.fill()) return;
    for (let segment = 0; segment < segmentsPerRead; segment++) {
      await options.ready();
      check();
      desk.segment();
    }
    const readings = await desk.read();
    check();
    yield desk.take(readings);
  }
}

class Desk<A extends Asked> {
  private readonly source: Iterator<A>;
  private readonly lanes: Lane<GuessWork<A>>[];
  /** What waits for a row, by checkpoint. */
  private readonly waiting: GuessWork<A>[][];

  constructor(
    puzzles: Iterable<A>,
    private readonly options: ThinkOptions<A>,
  ) {
    const { seqLen, batchSize, inferences } = options;
    this.source = puzzles[Symbol.iterator]();
    this.lanes = inferences.map((inferenceFor) => new Lane(seqLen, batchSize, inferenceFor));
    this.waiting = inferences.map(() => []);
  }

  /** Gives rows work; false when nothing is left to be done. */
  fill(): boolean {
    this.lanes.forEach((lane, checkpoint) => {
      lane.fill(() => this.next(checkpoint));
    });
    return this.lanes.some((lane) => !lane.idle);
  }

  segment(): void {
    for (const lane of this.lanes) if (!lane.idle) lane.segment();
  }

  async read(): Promise<[GuessWork<A>, Reading][]> {
    return (await Promise.all(this.lanes.map((lane) => lane.read()))).flat();
  }

  /** The puzzles that are settled by these readings. */
  take(readings: readonly [GuessWork<A>, Reading][]): Answered<A>[] {
    const touched = new Set<Puzzle<A>>();
    for (const [work, reading] of readings) {
      this.note(work, reading);
      touched.add(work.puzzle);
    }
    const settled: Answered<A>[] = [];
    for (const puzzle of touched) {
      for (const number of puzzle.course.drop()) this.drop(puzzle.works[number]);
      if (!puzzle.course.done) this.begin(puzzle);
      else settled.push(answered(puzzle));
    }
    return settled;
  }

  private note(work: GuessWork<A>, reading: Reading): void {
    const { maxSteps, halt, guessing, onSegment, onGuess } = this.options;
    const { puzzle, kind, segments } = work;
    const { qHalt, qContinue, lmLoss, change } = reading;
    const halted = qHalt > qContinue;
    if (halted) work.firstHalt ??= segments;
    if (change !== undefined && segments > 1) work.changes.push(change);
    const last = segments >= maxSteps || (halt && halted);
    puzzle.course.progress({ number: kind.number, segments, firstHalt: work.firstHalt });
    const answer = () => kind.symmetry.undo(reading.tokens.slice());
    onSegment?.(puzzle.asked, { kind, segment: segments, tokens: answer, qHalt, qContinue, lmLoss });
    if (!last) return;
    const tokens = answer();
    this.lanes[kind.checkpoint].drop(work);
    const guess: Guess = {
      number: kind.number,
      checkpoint: kind.checkpoint,
      symmetry: kind.by,
      tokens,
      segments,
      firstHalt: work.firstHalt,
      qHalt,
      qContinue,
      changes: change === undefined ? undefined : work.changes.slice(-STEADY_SEGMENTS),
      proven: guessing.checker?.(puzzle.asked.inputs, tokens),
    };
    puzzle.course.end(guess);
    onGuess?.(puzzle.asked, guess);
  }

  /** The next work for a checkpoint: guesses of puzzles that were begun, then new puzzles. */
  private next(checkpoint: number): GuessWork<A> | undefined {
    const waiting = this.waiting[checkpoint];
    while (waiting.length > 0) {
      const work = waiting.shift() as GuessWork<A>;
      if (!work.dropped) return work;
    }
    if (checkpoint > 0) return undefined; // guess 0, which every puzzle begins with, is the first checkpoint's
    const { value: asked, done } = this.source.next();
    if (done) return undefined;
    this.begin({ asked, course: this.options.guessing.course(), works: [] });
    return waiting.shift();
  }

  /** The next round of a puzzle's guesses, if it is time for one. */
  private begin(puzzle: Puzzle<A>): void {
    const { asked } = puzzle;
    for (const number of puzzle.course.nextRound()) {
      const kind = this.options.guessing.kinds[number];
      const work: GuessWork<A> = {
        puzzle,
        kind,
        inputs: kind.symmetry.apply(asked.inputs),
        labels: number === 0 ? asked.labels : undefined,
        puzzleIdentifier: asked.puzzleIdentifier,
        guess: number,
        segments: 0,
        changes: [],
        dropped: false,
      };
      puzzle.works[number] = work;
      this.waiting[kind.checkpoint].push(work);
    }
  }

  private drop(work: GuessWork<A>): void {
    work.dropped = true;
    this.lanes[work.kind.checkpoint].drop(work);
  }
}

function answered<A extends Asked>({ asked, course, works }: Puzzle<A>): Answered<A> {
  const begun = works.filter(({ segments }) => segments > 0);
  return {
    asked,
    guesses: course.guesses,
    selection: course.selection,
    segments: begun.reduce((sum, { segments }) => sum + segments, 0),
    begun: begun.length,
  };
}
