/** Solves grids on the models of a device. */

import type { DeclaredSymmetry } from '../data/dataset/declared-symmetries.ts';
import { Inferences } from '../guesses/lane.ts';
import { loadGuessing } from '../guesses/load-guessing.ts';
import type { Guess } from '../guesses/select.ts';
import { type Answered, type Asked, type Guessing, ONE_GUESS, think } from '../guesses/think.ts';
import { Inference } from '../model/inference.ts';
import type { HrmModel } from '../model/model.ts';
import { decodeGrid, type Grid, type Task } from '../tasks/tasks.ts';
import type { Settings, Solution } from './solve-options.ts';

export interface Puzzle extends Asked {
  /** Which of the grids. */
  index: number;
  grid: Grid;
}

/** What came of puzzles so far: a loss of the device does not make it be told again. */
export interface Told {
  /** Segments, by puzzle and guess. */
  segments: Map<string, number>;
  /** Guesses that came to an end. */
  ended: Set<string>;
}

/** What becomes known, in the words of the device's caller. */
export interface Listener {
  /** Called around every segment; throws when it should stop. */
  check(): void;
  /** Something became known that was not before. */
  progress(): void;
  /** Whether the kernels have been checked. */
  verified(): boolean;
}

export class Solver {
  /** Kept from one call to the next: recording a segment takes as long as many replays. */
  private inferences: { of: Inferences[]; key: string } | undefined;

  constructor(
    private readonly models: readonly HrmModel[],
    private readonly task: Task,
    private readonly declared?: readonly DeclaredSymmetry[],
  ) {}

  /** @throws UserError where puzzles cannot be guessed at as settings ask for it */
  async guessingOf({ guessing, puzzleIdentifier }: Settings): Promise<Guessing> {
    if (!guessing) return ONE_GUESS;
    // The embedding of an ARC task goes with its colours and directions: turned, it is another puzzle's.
    const fixed = this.task === 'arc' && puzzleIdentifier !== 0;
    const symmetries = guessing.symmetries ?? (fixed ? [] : undefined);
    return loadGuessing(
      this.task,
      this.models[0].config,
      { ...guessing, symmetries, declared: this.declared },
      this.models.length,
    );
  }

  /** Yields solutions as they become known, with the number of their grid. */
  async *solve(
    puzzles: readonly Puzzle[],
    settings: Settings,
    guessing: Guessing,
    told: Told,
    { check, progress, verified }: Listener,
  ): AsyncGenerator<[index: number, solution: Solution]> {
    const { batchSize, maxSteps, halt } = settings;
    const [{ config, device }] = this.models;
    const solutions = think(puzzles, {
      guessing,
      ...{ seqLen: config.seq_len, batchSize, maxSteps, halt, check },
      inferences: this.inferencesFor(batchSize, guessing),
      ready: () => device.stream.ready(),
      everySegment: true,
      onSegment: ({ index, grid }, { kind, segment, tokens: answer, qHalt, qContinue }) => {
        const key = `${index}/${kind.number}`;
        if (segment <= (told.segments.get(key) ?? 0)) return;
        told.segments.set(key, segment);
        progress();
        if (!settings.onSegment) return;
        const tokens = answer();
        settings.onSegment({
          ...{ index, guess: kind.number, segment, tokens, qHalt, qContinue },
          grid: decodeGrid(this.task, tokens, grid),
        });
      },
      onGuess: ({ index, grid }, guess) => {
        const key = `${index}/${guess.number}`;
        if (told.ended.has(key)) return;
        told.ended.add(key);
        settings.onGuess?.(this.gridGuess(guess, grid), index);
      },
    });
    for await (const settled of solutions) {
      for (const one of settled) yield [one.asked.index, { ...this.solutionOf(one), verified: verified() }];
    }
  }

  dispose(): void {
    for (const kept of this.inferences?.of ?? []) kept.dispose();
    this.inferences = undefined;
  }

  private inferencesFor(rows: number, { makeCompanion, companionKey }: Guessing) {
    if (this.inferences?.key !== companionKey) {
      this.dispose();
      const of = this.models.map(
        (model) => new Inferences((batch) => new Inference(model, batch, makeCompanion), 2 * rows),
      );
      this.inferences = { of, key: companionKey };
    }
    return this.inferences.of.map((kept) => (batch: number) => kept.for(batch));
  }

  private solutionOf({ asked, guesses, selection }: Answered<Puzzle>): Omit<Solution, 'verified'> {
    const shown = (guess: Guess) => this.gridGuess(guess, asked.grid);
    return { ...shown(selection.guess), rule: selection.rule, guesses: guesses.map(shown) };
  }

  private gridGuess(
    { number, checkpoint, symmetry, tokens, segments, qHalt, qContinue, proven }: Guess,
    asked: Grid,
  ) {
    const grid = decodeGrid(this.task, tokens, asked);
    const halted = qHalt > qContinue;
    return { guess: number, checkpoint, symmetry, grid, tokens, segments, qHalt, qContinue, halted, proven };
  }
}
