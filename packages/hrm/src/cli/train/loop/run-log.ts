import { closeSync, existsSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { Evaluation } from '../../../evaluation/evaluate.ts';
import { writeFileAtomic } from '../../../formats/files/atomic-write.node.ts';
import { fileError } from '../../../formats/files/file-error.node.ts';
import { readTextFile } from '../../../formats/files/file-source.node.ts';
import { parseJson } from '../../../formats/json.ts';
import type { StepReport } from '../../../training/steps.ts';
import { say } from '../../terminal.ts';

/** Characters of lines that are kept while there is no room for them. */
const MOST_WAITING = 2 ** 24;

/** A line of the log, besides its figures. */
interface Entry {
  kind: 'train' | 'evaluation';
  step: number;
}

/**
 * The log of a run, `log.jsonl`: a JSON object a line for each step (`kind: "train"`) and evaluation, with the `time` of its writing. Figures have
 * their published names: of a step, sums over the rows that halted in it divided by their number (`halted`), and
 * losses divided by the batch; of an evaluation, means over its examples.
 */
export class RunLog {
  /** Bytes that are written; what a full disk let through of a line is written over. */
  private size = 0;
  /** Lines that there was no room for. */
  private waiting = '';

  private constructor(
    private readonly path: string,
    private readonly file: number,
  ) {
    this.size = fstatSync(file).size;
  }

  /**
   * Opens the log for a run that goes on from `step`: what was logged after the checkpoint comes again, so it is
   * dropped first.
   */
  static async open(path: string, { step, evaluatedStep }: { step: number; evaluatedStep: number }) {
    const limits = { train: step, evaluation: evaluatedStep };
    const kept = (existsSync(path) ? await readTextFile(path) : '').split('\n').filter((line) => {
      const entry = parseEntry(line);
      return entry && entry.step <= limits[entry.kind];
    });
    await writeFileAtomic(path, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(''))]);
    return new RunLog(path, openSync(path, 'r+'));
  }

  /** After another try with lines that there was no room for. */
  close(): void {
    if (this.waiting) this.append([]);
    closeSync(this.file);
  }

  /** @param batch the global batch size */
  addSteps(reports: readonly StepReport[], batch: number): void {
    this.append(
      reports.map(({ step, lr, sums }) => {
        const { count, lm_loss, q_halt_loss, q_continue_loss, ...counted } = sums;
        const losses = { lm_loss, q_halt_loss, q_continue_loss };
        return {
          kind: 'train',
          step,
          lr,
          halted: count,
          ...divided(counted, Math.max(1, count)),
          ...divided(losses, batch),
        };
      }),
    );
  }

  addEvaluation(step: number, split: string, evaluation: Evaluation): void {
    const { intervals: _, per_segment: __, ...figures } = evaluation;
    this.append([{ kind: 'evaluation', step, split, ...figures }]);
  }

  /** What cannot be written stops no training: it is tried again with the next lines. */
  private append(entries: readonly (Entry & Record<string, unknown>)[]): void {
    const time = new Date().toISOString();
    const lines = entries.map(({ kind, step, ...rest }) => JSON.stringify({ kind, step, time, ...rest }));
    const wasWaiting = this.waiting !== '';
    this.waiting += lines.map((line) => `${line}\n`).join('');
    try {
      const bytes = new TextEncoder().encode(this.waiting);
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.file, bytes, done, bytes.length - done, this.size + done);
      this.size += bytes.length;
      this.waiting = '';
      if (wasWaiting) say(`\n${this.path} is whole again.`);
    } catch (cause) {
      const { message } = fileError('cannot write', this.path, cause) as Error;
      if (!wasWaiting) say(`\n${message} Training goes on; the lines are kept until there is room.`);
      if (this.waiting.length > MOST_WAITING) this.waiting = '';
    }
  }
}

function divided(figures: Record<string, number>, by: number): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value / by]));
}

/** Undefined for anything else than a whole line of a log. */
function parseEntry(line: string): Entry | undefined {
  try {
    const entry = parseJson(line);
    const known = (entry?.kind === 'train' || entry?.kind === 'evaluation') && Number.isInteger(entry.step);
    return known ? entry : undefined;
  } catch {
    return undefined;
  }
}
