import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Evaluation } from '../../../../evaluation/evaluate.ts';
import { writeFileAtomic } from '../../../../formats/files/atomic-write.node.ts';
import { readTextFile } from '../../../../formats/files/file-source.node.ts';
import { parseJson } from '../../../../formats/json.ts';
import type { GradientNorms } from '../../../../training/gradient-norms.ts';
import type { StepReport } from '../../../../training/steps.ts';
import { EventLog } from './event-log.ts';
import { PatientFile } from './patient-file.ts';

/** A line of the log, besides its figures. */
interface Entry {
  kind: 'train' | 'evaluation';
  step: number;
}

/**
 * The log of a run, `log.jsonl`: a JSON object a line for each step (`kind: "train"`) and evaluation, with the `time` of its writing. Figures have
 * their published names: of a step, sums over the rows that halted in it divided by their number (`halted`), and
 * losses divided by the batch; `grad_norm`, and those of the modules, in one step of 16; of an evaluation, means over its examples.
 */
export class RunLog {
  private constructor(
    private readonly file: PatientFile,
    private readonly events: EventLog | undefined,
  ) {}

  /**
   * Opens the log for a run that goes on from `step`: what was logged after the checkpoint comes again, so it is
   * dropped first.
   *
   * @param tensorboard whether TensorBoard is to read it, too
   */
  static async open(
    path: string,
    { step, evaluatedStep }: { step: number; evaluatedStep: number },
    tensorboard = false,
  ): Promise<RunLog> {
    const limits = { train: step, evaluation: evaluatedStep };
    const kept = (existsSync(path) ? await readTextFile(path) : '').split('\n').filter((line) => {
      const entry = parseEntry(line);
      return entry && entry.step <= limits[entry.kind];
    });
    await writeFileAtomic(path, [new TextEncoder().encode(kept.map((line) => `${line}\n`).join(''))]);
    return new RunLog(new PatientFile(path), tensorboard ? new EventLog(dirname(path), step) : undefined);
  }

  /**
   * Resolves when all lines are on the disk.
   *
   * @throws UserError where there is no room for them
   */
  async sync(): Promise<void> {
    await this.file.sync();
    await this.events?.sync();
  }

  close(): void {
    this.file.close();
    this.events?.close();
  }

  /** @param batch the global batch size */
  addSteps(reports: readonly StepReport[], batch: number): void {
    this.append(
      reports.map(({ step, lr, sums, gradientNorms }) => {
        const { count, lm_loss, q_halt_loss, q_continue_loss, ...counted } = sums;
        const losses = { lm_loss, q_halt_loss, q_continue_loss };
        return {
          kind: 'train',
          step,
          lr,
          halted: count,
          ...divided(counted, Math.max(1, count)),
          ...divided(losses, batch),
          ...(gradientNorms ? namedNorms(gradientNorms) : {}),
        };
      }),
    );
  }

  addEvaluation(step: number, split: string, evaluation: Evaluation): void {
    const { intervals: _, per_segment: __, ...figures } = evaluation;
    this.append([{ kind: 'evaluation', step, split, ...figures }]);
  }

  private append(entries: readonly (Entry & Record<string, unknown>)[]): void {
    const now = new Date();
    const time = now.toISOString();
    const lines = entries.map(({ kind, step, ...rest }) => JSON.stringify({ kind, step, time, ...rest }));
    this.file.append(new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')));
    for (const { kind, step, split, ...figures } of entries)
      this.events?.add(String(split ?? kind), step, now.getTime(), figures);
  }
}

const namedNorms = ({ all, H_level, L_level }: GradientNorms) => ({
  grad_norm: all,
  grad_norm_H_level: H_level,
  grad_norm_L_level: L_level,
});

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
